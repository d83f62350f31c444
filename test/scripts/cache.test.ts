import * as fs from 'node:fs';
import * as os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { loadScript } from '../support/scripts';

interface CacheScript {
	cached(key: string, build: (folder: string) => Promise<void>, dir: string): Promise<string>;
	withLock<T>(file: string, work: () => Promise<T>, onWait?: (holder: number) => void): Promise<T>;
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

it('removes the files of a failed build, and builds again', async () => {
	const { cached } = await loadScript<CacheScript>('cache');
	const broken = cached(
		'part',
		async (folder) => {
			fs.writeFileSync(path.join(folder, 'half'), '');
			await Promise.reject(new Error('no network'));
		},
		dir,
	);
	await expect(broken).rejects.toThrow('no network');
	expect(fs.existsSync(path.join(dir, 'part'))).toBe(false);
	expect(leftovers()).toEqual([]);
	const folder = await cached('part', write('whole', ''), dir);
	expect(fs.readdirSync(folder)).toEqual(['whole']);
});

it('lets the second of two builders wait for the first', async () => {
	const { cached } = await loadScript<CacheScript>('cache');
	let builds = 0;
	const build = async (folder: string) => {
		builds += 1;
		await write('file', String(builds))(folder);
	};
	const folders = await Promise.all([cached('part', build, dir), cached('part', build, dir)]);
	expect(builds).toBe(1);
	expect(new Set(folders).size).toBe(1);
});

it('takes over the lock of an ended process, but not that of a running process', async () => {
	const { withLock } = await loadScript<CacheScript>('cache');
	const file = path.join(dir, 'lock');
	fs.writeFileSync(file, String(NO_SUCH_PROCESS));
	expect(await withLock(file, async () => await Promise.resolve('mine'))).toBe('mine');
	expect(fs.existsSync(file)).toBe(false);
	fs.writeFileSync(file, String(process.pid));
	const refuse = (holder: number) => {
		throw new Error(`held by ${holder}`);
	};
	await expect(withLock(file, async () => await Promise.resolve(), refuse)).rejects.toThrow(
		`held by ${process.pid}`,
	);
});
