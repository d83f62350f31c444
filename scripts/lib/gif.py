"""Makes an animated GIF of frames: gif.py <folder of PNG files> <file.gif> [width]. Needs Pillow."""
import sys
from pathlib import Path

from PIL import Image, ImageChops

folder, target, width = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 800
MOST_FRAMES = 60
SECONDS = 6
SECONDS_AT_THE_END = 3

frames = []
for file in sorted(folder.glob("*.png")):
    image = Image.open(file).convert("RGB")
    image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    # Skip repeated frames: nothing changes between two pieces of the answer.
    if not frames or ImageChops.difference(image, frames[-1]).getbbox():
        frames.append(image)
step = max(1, -(-len(frames) // MOST_FRAMES))
frames = [*frames[:-1:step], frames[-1]]
colours = frames[-1].quantize(200, dither=Image.Dither.NONE)
frames = [frame.quantize(palette=colours, dither=Image.Dither.NONE) for frame in frames]
times = [SECONDS * 1000 // len(frames)] * (len(frames) - 1) + [SECONDS_AT_THE_END * 1000]
frames[0].save(target, save_all=True, append_images=frames[1:], duration=times, loop=0, optimize=True)
print(len(frames), "frames,", Path(target).stat().st_size, "bytes")
