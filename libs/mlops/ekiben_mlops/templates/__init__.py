"""What is inside a Bento. Packaging copies these files, with the two of ekiben_serving they import."""
