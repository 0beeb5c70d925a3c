from ekiben_bus.lease import Lease


def test_it_does_not_hold_before_the_group_has_said_anything():
    assert not Lease(3).holds(0)


def test_it_holds_for_its_time_counted_from_when_the_group_was_asked():
    lease = Lease(3)
    lease.renew(10)
    assert lease.holds(12.9)
    assert not lease.holds(13)


def test_an_answer_to_an_older_question_shortens_nothing():
    lease = Lease(3)
    lease.renew(10)
    lease.renew(8)
    assert lease.holds(12.9)


def test_partitions_that_are_given_back_end_it():
    lease = Lease(3)
    lease.renew(10)
    lease.end()
    assert not lease.holds(10)
