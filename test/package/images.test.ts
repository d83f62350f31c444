import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { loadScript } from '../support/files/scripts';

interface PicturesScript {
	IMAGES: string;
	LARGEST_BYTES: number;
	documents(): string[];
	findImages(file: string): string[];
	listImages(): string[];
}

const ROOT = process.cwd();
/** First bytes of each image format. */
const SIGNATURES: Readonly<Record<string, string>> = {
	'.png': '89504e470d0a1a0a',
	'.gif': '474946383961',
};
const MAX_BYTES = 4_200_000;

let script: PicturesScript;
let imageFiles: string[];

beforeAll(async () => {
	script = await loadScript<PicturesScript>('checks/pictures');
	imageFiles = fs
		.readdirSync(path.join(ROOT, script.IMAGES), { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) =>
			path.relative(ROOT, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'),
		);
});

describe('the images of the documents', () => {
	it('exist if a document uses them', () => {
		const missing = script.documents().flatMap((file) =>
			script
				.findImages(file)
				.filter((picture) => !fs.existsSync(path.join(ROOT, picture)))
				.map((picture) => `${file}: ${picture}`),
		);
		expect(missing).toEqual([]);
	});

	it('are each used in a document', () => {
		const namedImages = script.listImages();
		expect(imageFiles.filter((file) => !namedImages.includes(file))).toEqual([]);
		expect(imageFiles).not.toEqual([]);
	});

	it('show every example workflow', () => {
		const examples = fs
			.readdirSync(path.join(ROOT, 'workflows'))
			.filter((file) => file.endsWith('.json'));
		const linkedImages = script.findImages('workflows/README.md');
		expect(
			examples
				.map((file) => `${script.IMAGES}/workflows/${path.basename(file, '.json')}.png`)
				.filter((file) => !linkedImages.includes(file)),
		).toEqual([]);
	});

	it('are small PNG files, or a GIF file', () => {
		const sizes = imageFiles.map((file) => {
			const bytes = fs.readFileSync(path.join(ROOT, file));
			const kind = path.extname(file);
			const isKind = bytes.toString('hex', 0, 8).startsWith(SIGNATURES[kind] ?? '-');
			return { file, isKind, bytes: bytes.length };
		});
		expect(sizes.filter(({ isKind, bytes }) => !isKind || bytes > script.LARGEST_BYTES)).toEqual(
			[],
		);
		expect(sizes.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(MAX_BYTES);
	});

	it('have an alternative text', () => {
		const silent = script
			.documents()
			.filter((file) =>
				/!\[\s*\]\(|<img(?![^>]*\salt="[^"]+")/.test(
					fs.readFileSync(path.join(ROOT, file), 'utf8'),
				),
			);
		expect(silent).toEqual([]);
	});
});
