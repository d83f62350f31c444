import * as fs from 'node:fs';
import { loadScript } from '../support/files/scripts';

interface BundleScript {
	bundleOwnCode(dist: string): Promise<{ metafile: { inputs: object } }>;
	bundleLibraries(dist: string): Promise<{ metafile: { inputs: object } }>;
}

interface LicencesScript {
	bundledWorks(files: string[]): string[];
}

const read = (file: string) => fs.readFileSync(file, 'utf8');

describe('the licenses of bundled packages', () => {
	let works: string[] = [];

	beforeAll(async () => {
		const { bundleOwnCode, bundleLibraries } = await loadScript<BundleScript>('package/bundle');
		const { bundledWorks } = await loadScript<LicencesScript>('package/licences');
		fs.mkdirSync('node_modules/.cache', { recursive: true });
		const folder = fs.mkdtempSync('node_modules/.cache/licences-');
		const built = [await bundleOwnCode(folder), await bundleLibraries(folder)];
		fs.rmSync(folder, { recursive: true });
		works = bundledWorks(built.flatMap(({ metafile }) => Object.keys(metafile.inputs)));
	});

	it('are in the package, each with its text', () => {
		expect(works).toEqual(expect.arrayContaining(['undici', 'llhttp', 'd3-array']));
		const [, ...licences] = read('dist/THIRD-PARTY-LICENSES.txt').split(
			/^(?=\S+(?: [\d.]+|, in \S+) \()/m,
		);
		expect(licences.map((text) => text.split(/[ ,]/)[0])).toEqual(works);
		for (const text of licences) {
			expect(text).toMatch(/Copyright/);
			expect(text).toMatch(/WITHOUT WARRANTY|DISCLAIMS ALL WARRANTIES/);
		}
	});

	it('belong to the packages that docs/security.md names, and to no others', () => {
		const [, list = ''] = /`dependencies` is empty\.([^]*?) are\s+bundled,/.exec(
			read('docs/security.md'),
		)!;
		expect(
			list
				.match(/@?[a-z][a-z\d/-]+/g)!
				.filter((word) => !/^(?:with|and)$/.test(word))
				.sort(),
		).toEqual(works);
	});
});
