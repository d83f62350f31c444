import { childProcess, crypto, fs, os, path } from '../support/node';
import { loadScript } from '../support/scripts';

interface Model {
	file: string;
	sha256?: string;
}

interface AirGapScript {
	version: string;
	parseModel(text: string): Model;
	writeArchive(
		log: object,
		parts: { packageFile: string; images: string[]; models: Model[]; out: string },
	): Promise<string>;
}

const log = {
	step: async (_name: string, work: (progress: (text: string) => void) => Promise<string>) =>
		await work(() => {}),
};
const HASH = crypto.createHash('sha256').update('weights').digest('hex');

let script: AirGapScript;
let folder: string;

beforeAll(async () => {
	script = await loadScript<AirGapScript>('air-gap');
});
beforeEach(() => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'air-gap-test-'));
	for (const [name, content] of Object.entries({
		'package.tgz': 'code',
		'n8n.tar': 'layers',
		'model.gguf': 'weights',
	}))
		fs.writeFileSync(path.join(folder, name), content);
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => path.join(folder, name);

async function archived(models: Model[], images = [at('n8n.tar')]): Promise<string> {
	const out = await script.writeArchive(log, {
		packageFile: at('package.tgz'),
		images,
		models,
		out: at('offline.tar'),
	});
	childProcess.execFileSync('tar', ['-xf', out, '-C', folder]);
	return at(`n8n-local-llama-${script.version}`);
}

it('holds the package, image, model and pages, as files with their hashes', async () => {
	const unpacked = await archived([script.parseModel(`${at('model.gguf')}@sha256:${HASH}`)]);
	for (const [name, content] of Object.entries({
		'package.tgz': 'code',
		'images/n8n.tar': 'layers',
		'models/model.gguf': 'weights',
	})) {
		const file = path.join(unpacked, name);
		expect(fs.lstatSync(file).isFile()).toBe(true);
		expect(fs.readFileSync(file, 'utf8')).toBe(content);
	}
	for (const page of [
		'README.md',
		'docs/operations.md',
		'docs/docker/compose.yaml',
		'workflows/README.md',
	])
		expect(fs.existsSync(path.join(unpacked, page))).toBe(true);
	const sums = fs.readFileSync(path.join(unpacked, 'SHA256SUMS'), 'utf8');
	expect(sums).toContain(`${HASH}  models/model.gguf\n`);
	childProcess.execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: unpacked });
});

it('refuses a model with another hash, a file that is missing, and two of one name', async () => {
	const other = `${at('model.gguf')}@sha256:${'0'.repeat(64)}`;
	await expect(archived([script.parseModel(other)])).rejects.toThrow(
		`has the SHA-256 hash ${HASH}`,
	);
	await expect(archived([{ file: at('none.gguf') }])).rejects.toThrow('There is no file');
	const model = { file: at('model.gguf') };
	await expect(archived([model, model])).rejects.toThrow('Two files have the name model.gguf');
	expect(fs.existsSync(at('offline.tar'))).toBe(false);
});

it('reads a hash behind the name of the file, in any case', () => {
	expect(script.parseModel(`a b.gguf@sha256:${HASH.toUpperCase()}`)).toEqual({
		file: 'a b.gguf',
		sha256: HASH,
	});
	expect(script.parseModel('model@sha256:short.gguf')).toEqual({ file: 'model@sha256:short.gguf' });
});
