import { parseGguf } from '../support/gguf';
import { fs, os, path } from '../support/node';
import { loadScript } from '../support/scripts';

interface Script {
	PICTURE_TOKENS: number;
	writePictureProjector(file: string, options: { modelWidth: number; seed?: number }): void;
}

it('fits the model, and is the same each time', async () => {
	const { writePictureProjector, PICTURE_TOKENS } = await loadScript<Script>('picture-projector');
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'projector-'));
	const [one, again, other] = [1, 1, 2].map((seed, at) => {
		const file = path.join(folder, `${at}.gguf`);
		writePictureProjector(file, { modelWidth: 64, seed });
		return fs.readFileSync(file);
	});
	fs.rmSync(folder, { recursive: true });
	expect(one!.equals(again!)).toBe(true);
	expect(one!.equals(other!)).toBe(false);
	const { metadata, tensors } = parseGguf(one!);
	expect(metadata).toMatchObject({
		'general.architecture': 'clip',
		'clip.vision.image_mean': [0.5, 0.5, 0.5],
	});
	const shapes = Object.fromEntries(tensors.map(({ name, shape }) => [name, shape]));
	expect(shapes['mm.input_projection.weight']![0]).toBe(64);
	expect(shapes['v.position_embd.weight']![1]).toBe(4 * PICTURE_TOKENS);
});
