import { childProcess, fs, path } from '../support/node';

const LAUNCHER = path.resolve('scripts', 'lib', 'llama_server.py');
const PYTHON = ['python3', 'python'].find(
	(name) => childProcess.spawnSync(name, ['--version']).status === 0,
);

/** Runs the launcher until it has parsed its options, which is before it loads the package. */
const launch = (...args: string[]) =>
	childProcess.spawnSync(PYTHON ?? 'python3', ['-I', LAUNCHER, ...args], { encoding: 'utf8' });

describe('the llama-server of the Python package', () => {
	test('every option that the scripts and the end-to-end tests give is known', () => {
		const source = fs.readFileSync(LAUNCHER, 'utf8');
		const known = new Set([...source.matchAll(/"(--[\w-]+)"/g)].map(([, option]) => option));
		const starter = fs.readFileSync(path.resolve('scripts', 'lib', 'llama-server.mjs'), 'utf8');
		const given = [
			...starter.slice(starter.indexOf('startLlamaServer =')).matchAll(/'(--[\w-]+)'/g),
		].map(([, option]) => option);
		expect(given).toEqual(expect.arrayContaining(['--host', '--port', '--model', '--ctx-size']));
		expect(given.filter((option) => !known.has(option!))).toEqual([]);
	});

	// Skipped without Python: npm test needs only Node.
	(PYTHON === undefined ? describe.skip : describe)('with Python', () => {
		test('an unknown option ends it with a sentence', () => {
			const { status, stderr } = launch('--model', 'x.gguf', '--models-dir', 'models');
			expect(status).toBe(2);
			expect(stderr).toContain('unrecognized arguments: --models-dir');
		});

		test('without a model it says that it has no router', () => {
			const { status, stderr } = launch('--port', '1');
			expect(status).toBe(1);
			expect(stderr).toContain('has no router');
		});
	});
});
