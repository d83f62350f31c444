import { describeWith } from '../support/describe-if';
import { childProcess, fs, os, path } from '../support/node-builtins';
import { loadScript } from '../support/scripts';

const LAUNCHER = path.resolve('scripts', 'lib', 'llama_server.py');
const PYTHON = ['python3', 'python'].find(
	(name) => childProcess.spawnSync(name, ['--version']).status === 0,
);

/** Runs the launcher until it has parsed its options, which is before it loads the package. */
const launch = (...args: string[]) =>
	childProcess.spawnSync(PYTHON ?? 'python3', ['-I', LAUNCHER, ...args], { encoding: 'utf8' });

describe('the llama-server of the Python package', () => {
	test('every option that the scripts and the end-to-end tests use is supported', () => {
		const source = fs.readFileSync(LAUNCHER, 'utf8');
		const supportedOptions = new Set(
			[...source.matchAll(/"(--[\w-]+)"/g)].map(([, option]) => option),
		);
		const starter = fs.readFileSync(path.resolve('scripts', 'lib', 'llama-server.mjs'), 'utf8');
		const usedOptions = [
			...starter.slice(starter.indexOf('startLlamaServer =')).matchAll(/'(--[\w-]+)'/g),
		].map(([, option]) => option);
		expect(usedOptions).toEqual(
			expect.arrayContaining(['--host', '--port', '--model', '--ctx-size']),
		);
		expect(usedOptions.filter((option) => !supportedOptions.has(option!))).toEqual([]);
	});

	test('its shell script finds its folder, also through symbolic links', async () => {
		const { launcherScript } = await loadScript<{ launcherScript(python: string): string }>(
			'llama-wheel',
		);
		const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "llama wheel's-")));
		const program = path.join(folder, 'kept', 'llama-server');
		fs.mkdirSync(path.dirname(program));
		fs.writeFileSync(program, launcherScript('/bin/echo'), { mode: 0o755 });
		fs.mkdirSync(path.join(folder, 'bin'));
		fs.symlinkSync('../kept/llama-server', path.join(folder, 'bin', 'relative'));
		fs.symlinkSync(path.join(folder, 'bin', 'relative'), path.join(folder, 'bin', 'twice'));
		for (const name of ['kept/llama-server', 'bin/relative', 'bin/twice']) {
			const { stdout } = childProcess.spawnSync(path.join(folder, name), ['--port', '1'], {
				encoding: 'utf8',
			});
			expect(stdout).toBe(`${path.dirname(program)}/llama_server.py --port 1\n`);
		}
		fs.rmSync(folder, { recursive: true });
	});

	// npm test needs only Node.
	const problem = PYTHON === undefined ? 'Python is missing' : undefined;
	describeWith(problem, 'with Python', () => {
		test('an unknown option is an error with a message', () => {
			const { status, stderr } = launch('--model', 'x.gguf', '--models-dir', 'models');
			expect(status).toBe(2);
			expect(stderr).toContain('unrecognized arguments: --models-dir');
		});

		test('without a model it reports that it has no router', () => {
			const { status, stderr } = launch('--port', '1');
			expect(status).toBe(1);
			expect(stderr).toContain('has no router');
		});
	});
});
