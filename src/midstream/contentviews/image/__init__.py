"""What the heads of image files say: size, kind of colours, comments, where and with what a picture was taken.

Small readers of our own, one to a format; nothing is decoded into pixels, which is where libraries of images have had
their holes. Used by the image view.
"""
