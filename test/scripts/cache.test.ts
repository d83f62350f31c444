import { delay, fs, os, path } from '../support/node';
import { loadScript } from '../support/scripts';

interface CacheScript {
	cached(
		key: string,
		build: (folder: string) => Promise<void>,
		options: { dir: string; onWait?: (holder: number | undefined) => void },
	): Promise<string>;
	withKeptFile(file: string, work: () => Promise<void>, options: { dir: string }): Promise<void>;
	withLock<T>(
		file: string,
		work: () => Promise<T>,
		onWait?: (holder: number | undefined) => void,
	): Promise<T>;
}

/** Linux assigns process IDs up to 4,194,304. */
const NO_SUCH_PROCESS = 2 ** 31 - 1;

let dir: string;

beforeEach(() => {
	dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cache-test-'));
});

afterEach(() => {
	fs.rmSync(dir, { recursive: true, force: true });
});

const write = (name: string, content: string) => async (folder: string) => {
	await delay(20);
	fs.writeFileSync(path.join(folder, name), content);
};

const leftovers = () => fs.readdirSync(dir).filter((name) => name.startsWith('.building-'));

it('builds a part once and finds it again', async () => {
	const { cached } = await loadScript<CacheScript>('cache');
	const folder = await cached('part-1', write('file', 'built'), { dir });
	expect(fs.readFileSync(path.join(folder, 'file'), 'utf8')).toBe('built');
	const again = await cached('part-1', async () => await Promise.reject(new Error('built twice')), {
		dir,
	});
	expect(again).toBe(folder);
});

it('leaves nothing of a build that failed, and builds anew', async () => {
	const { cached } = await loadScript<CacheScript>('cache');
	const broken = cached(
		'part',
		async (folder) => {
			fs.writeFileSync(path.join(folder, 'half'), '');
			await Promise.reject(new Error('no network'));
		},
		{ dir },
	);
	await expect(broken).rejects.toThrow('no network');
	expect(fs.existsSync(path.join(dir, 'part'))).toBe(false);
	expect(leftovers()).toEqual([]);
	const folder = await cached('part', write('whole', ''), { dir });
	expect(fs.readdirSync(folder)).toEqual(['whole']);
});

it('removes what interrupted builds left, of other parts after a day', async () => {
	const { cached } = await loadScript<CacheScript>('cache');
	const [own, old, running] = [
		'.building-part-99-abcdef',
		'.building-gone-98-abcdef',
		'.building-other-97-abcdef',
	] as const;
	for (const name of [own, old, running]) fs.mkdirSync(path.join(dir, name));
	const twoDaysAgo = new Date(Date.now() - 48 * 60 * 60_000);
	fs.utimesSync(path.join(dir, old), twoDaysAgo, twoDaysAgo);
	await cached('part', write('whole', ''), { dir });
	expect(leftovers()).toEqual([running]);
});

it('lets the second of two builders wait for the first', async () => {
	const { cached } = await loadScript<CacheScript>('cache');
	let builds = 0;
	const waits: Array<number | undefined> = [];
	const build = async (folder: string) => {
		builds += 1;
		await write('file', String(builds))(folder);
	};
	const options = { dir, onWait: (holder: number | undefined) => waits.push(holder) };
	const folders = await Promise.all([
		cached('part', build, options),
		cached('part', build, options),
	]);
	expect(builds).toBe(1);
	expect(new Set(folders).size).toBe(1);
	expect(waits).toEqual([expect.any(Number)]);
});

it('takes over a lock whose process is gone', async () => {
	const { withLock } = await loadScript<CacheScript>('cache');
	const file = path.join(dir, 'lock');
	fs.writeFileSync(file, JSON.stringify({ pid: NO_SUCH_PROCESS, host: os.hostname() }));
	expect(await withLock(file, async () => await Promise.resolve('mine'))).toBe('mine');
	expect(fs.existsSync(file)).toBe(false);
});

it('takes over a lock of another machine without a heartbeat, not one with a heartbeat', async () => {
	const { withLock } = await loadScript<CacheScript>('cache');
	const file = path.join(dir, 'lock');
	fs.writeFileSync(file, JSON.stringify({ pid: 1, host: 'another-machine' }));
	const refuse = (holder: number | undefined) => {
		throw new Error(`held by ${holder}`);
	};
	await expect(withLock(file, async () => await Promise.resolve(), refuse)).rejects.toThrow(
		'held by 1',
	);
	const old = new Date(Date.now() - 10 * 60_000);
	fs.utimesSync(file, old, old);
	expect(await withLock(file, async () => await Promise.resolve('mine'), refuse)).toBe('mine');
});

it('gives the lock back when the work fails', async () => {
	const { withLock } = await loadScript<CacheScript>('cache');
	const file = path.join(dir, 'lock');
	await expect(
		withLock(file, async () => await Promise.reject(new Error('work failed'))),
	).rejects.toThrow('work failed');
	expect(fs.existsSync(file)).toBe(false);
});

it('a new clone begins with the file that the last successful run of a tool left', async () => {
	const { withKeptFile } = await loadScript<CacheScript>('cache');
	const use = async (clone: string, more: string, fails = false) => {
		const file = path.join(dir, clone, 'known.json');
		fs.mkdirSync(path.dirname(file), { recursive: true });
		const work = async () => {
			fs.appendFileSync(file, more);
			if (fails) await Promise.reject(new Error('wrong types'));
		};
		await withKeptFile(file, work, { dir });
		return fs.readFileSync(file, 'utf8');
	};
	expect(await use('first', 'a')).toBe('a');
	expect(await use('first', 'b')).toBe('ab');
	await expect(use('second', 'wrong', true)).rejects.toThrow('wrong types');
	expect(await use('third', 'c')).toBe('abc');
	expect(await use('second', 'd')).toBe('abcd');
	expect(await use('first', 'e')).toBe('abe');
	expect(leftovers()).toEqual([]);
});
