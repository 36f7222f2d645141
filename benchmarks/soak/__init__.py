"""A long run at steady load: what grows?"""
