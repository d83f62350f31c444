import type { ICredentialType, INodeType, INodeTypeDescription } from 'n8n-workflow';

import { fs, path, process } from '../support/node';
import { loadScript } from '../support/scripts';

interface PicturesScript {
	IMAGES: string;
	LARGEST_BYTES: number;
	LARGEST_MOVING_BYTES: number;
	documents(): string[];
	picturesIn(file: string): string[];
	namedPictures(): string[];
}

interface Subject {
	kind: 'panel' | 'actions' | 'credential' | 'workflow';
	name: string;
}

interface ShownScript {
	subjectOf(file: string): Subject | undefined;
	hashOf(
		subject: Subject,
		descriptionOf: (name: string) => INodeTypeDescription,
		credentialOf: (name: string) => ICredentialType,
	): string;
	recordedHashes(): Record<string, string>;
}

const ROOT = process.cwd();
/** First bytes of each image format. */
const SIGNATURES: Readonly<Record<string, string>> = {
	'.png': '89504e470d0a1a0a',
	'.gif': '474946383961',
};
const MOST_BYTES = 4_200_000;

let script: PicturesScript;
let kept: string[];

beforeAll(async () => {
	script = await loadScript<PicturesScript>('pictures');
	kept = fs
		.readdirSync(path.join(ROOT, script.IMAGES), { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && entry.name !== 'shown.json')
		.map((entry) =>
			path.relative(ROOT, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'),
		);
});

describe('the pictures of the documents', () => {
	it('exist where a document names them', () => {
		const missing = script.documents().flatMap((file) =>
			script
				.picturesIn(file)
				.filter((picture) => !fs.existsSync(path.join(ROOT, picture)))
				.map((picture) => `${file}: ${picture}`),
		);
		expect(missing).toEqual([]);
	});

	it('are named by a document, each of them', () => {
		const named = script.namedPictures();
		expect(kept.filter((file) => !named.includes(file))).toEqual([]);
		expect(kept.length).toBeGreaterThanOrEqual(10);
	});

	it('show every example workflow', () => {
		const examples = fs
			.readdirSync(path.join(ROOT, 'workflows'))
			.filter((file) => file.endsWith('.json'));
		const shown = script.picturesIn('workflows/README.md');
		expect(
			examples
				.map((file) => `${script.IMAGES}/workflows/${path.basename(file, '.json')}.png`)
				.filter((file) => !shown.includes(file)),
		).toEqual([]);
	});

	it('are small PNG files, or GIF files where they move', () => {
		const sizes = kept.map((file) => {
			const bytes = fs.readFileSync(path.join(ROOT, file));
			const kind = path.extname(file);
			const isKind = bytes.toString('hex', 0, 8).startsWith(SIGNATURES[kind] ?? '-');
			const largest = kind === '.gif' ? script.LARGEST_MOVING_BYTES : script.LARGEST_BYTES;
			return { file, isKind, bytes: bytes.length, largest };
		});
		expect(sizes.filter(({ isKind, bytes, largest }) => !isKind || bytes > largest)).toEqual([]);
		expect(sizes.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(MOST_BYTES);
	});

	it('stay out of the npm package', () => {
		const { files } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
			files: string[];
		};
		expect(files).toEqual(['dist']);
	});

	it('have a text for those who cannot see them', () => {
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

/** A class of the sources by the name of its node or credential. */
async function classOf<T>(folder: string, ending: string, name: string): Promise<T> {
	const Name = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
	const file = path.join(ROOT, folder, `${Name}.${ending}`);
	const exported = (await import(file)) as Record<string, new () => T>;
	return new exported[Name]!();
}

describe('what the pictures show', () => {
	const descriptions = new Map<string, INodeTypeDescription>();
	const credentials = new Map<string, ICredentialType>();
	let shown: ShownScript;
	let hash: (subject: Subject) => string;

	beforeAll(async () => {
		shown = await loadScript<ShownScript>('shown');
		for (const subject of kept.flatMap((file) => shown.subjectOf(file) ?? [])) {
			const { kind, name } = subject;
			if (kind === 'credential')
				credentials.set(name, await classOf<ICredentialType>('credentials', 'credentials', name));
			else if (kind !== 'workflow') {
				const folder = `nodes/${name.charAt(0).toUpperCase()}${name.slice(1)}`;
				const { description } = await classOf<INodeType>(folder, 'node', name);
				descriptions.set(name, description);
			}
		}
		hash = (subject) =>
			shown.hashOf(
				subject,
				(name) => descriptions.get(name)!,
				(name) => credentials.get(name)!,
			);
	});

	it('is as it was when they were taken: else run npm run pictures', () => {
		const old = Object.entries(shown.recordedHashes())
			.filter(([file, recorded]) => hash(shown.subjectOf(file)!) !== recorded)
			.map(([file]) => file);
		expect(old).toEqual([]);
	});

	it('is recorded for the pictures that exist, each of them', () => {
		const dated = kept.filter((file) => shown.subjectOf(file) !== undefined);
		expect(Object.keys(shown.recordedHashes()).sort()).toEqual(dated.sort());
	});

	it('is another thing when a field is added, renamed or hidden, not when a hover text changes', () => {
		const subject: Subject = { kind: 'panel', name: 'localChatModel' };
		const description = descriptions.get('localChatModel')!;
		const [model, ...others] = description.properties;
		const hashWith = (properties: INodeTypeDescription['properties']) =>
			shown.hashOf(
				subject,
				() => ({ ...description, properties }),
				(name) => credentials.get(name)!,
			);
		const before = hashWith(description.properties);
		expect(hashWith([{ ...model!, description: 'Another text' }, ...others])).toBe(before);
		const hidden = { displayOptions: { show: { serverType: ['ollama'] } } };
		for (const changed of [
			[{ ...model!, displayName: 'Another' }, ...others],
			others,
			[
				model!,
				...others.map((field) => (field.name === 'options' ? { ...field, ...hidden } : field)),
			],
			[model!, model!, ...others],
		])
			expect(hashWith(changed)).not.toBe(before);
	});

	it('is known of every picture of a panel, a list of actions, a credential or an example', () => {
		const hashes = kept.flatMap((file) => shown.subjectOf(file) ?? []).map(hash);
		expect(hashes.length).toBeGreaterThan(50);
		expect(hashes.filter((one) => !/^[0-9a-f]{16}$/.test(one))).toEqual([]);
	});
});
