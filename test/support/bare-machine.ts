import { childProcess, fs, os, path, process, url } from './node-builtins';

/** Exit code and output of a script. */
export interface Ended {
	code: number | null;
	stdout: string;
	stderr: string;
}

/** Simulates a machine that has only Node, a shell, and the programs that a test adds. */
export interface BareMachine {
	/** An empty folder for the test's files. */
	folder: string;
	/** The scripts' cache folder. */
	cache: string;
	/** Adds a program to PATH that runs this JavaScript; `argv` holds its arguments. */
	program(name: string, source: string): string;
	/** Runs code that may import the modules of `scripts/lib` as `lib('name')`. */
	run(source: string, env?: Record<string, string>): Promise<Ended>;
	/** Runs a script of this repository. */
	script(file: string, args: string[], env?: Record<string, string>): Promise<Ended>;
	remove(): void;
}

const SHELL = '/bin/sh';

/** Variables of the test run's environment that the scripts would read: not passed on. */
const CALLER_VARIABLES =
	/^(npm_|JEST_|NODE_|LLAMA_|LOCAL_LLAMA_|N8N_|XDG_|POSTGRES_BIN|PIP_|PYTHON)/i;

export function bareMachine(): BareMachine {
	const home = fs.mkdtempSync(path.join(os.tmpdir(), 'local-llama-machine-'));
	const [bin, folder, cache] = ['bin', 'work', 'cache'].map((name) => path.join(home, name)) as [
		string,
		string,
		string,
	];
	for (const made of [bin, folder]) fs.mkdirSync(made);
	fs.symlinkSync(process.execPath, path.join(bin, 'node'));
	fs.symlinkSync(SHELL, path.join(bin, 'sh'));
	const environment = Object.fromEntries(
		Object.entries(process.env).filter(([name]) => !CALLER_VARIABLES.test(name)),
	);

	const start = async (args: string[], env: Record<string, string>): Promise<Ended> =>
		await new Promise((resolve) => {
			childProcess.execFile(
				process.execPath,
				args,
				{
					env: {
						...environment,
						HOME: home,
						PATH: bin,
						LOCAL_LLAMA_CACHE: cache,
						LOCAL_LLAMA_DATA: folder,
						...env,
					},
				},
				(error, stdout, stderr) =>
					resolve({
						code: error === null ? 0 : ((error.code as number | undefined) ?? null),
						stdout,
						stderr,
					}),
			);
		});

	return {
		folder,
		cache,
		program(name, source) {
			const file = path.join(bin, name);
			const lines = [`#!${process.execPath}`, "const fs = require('fs'), path = require('path');"];
			fs.writeFileSync(
				file,
				[...lines, 'const argv = process.argv.slice(2);', source, ''].join('\n'),
				{ mode: 0o755 },
			);
			return file;
		},
		run: async (source, env = {}) => {
			const scripts = url.pathToFileURL(path.resolve('scripts', 'lib')).href;
			const lib = `const lib = (name) => import(${JSON.stringify(scripts)} + '/' + name + '.mjs');`;
			return await start(['--input-type=module', '--eval', `${lib}\n${source}`], env);
		},
		script: async (file, args, env = {}) => await start([path.resolve(file), ...args], env),
		remove: () => fs.rmSync(home, { recursive: true, force: true }),
	};
}

/** Call at the top of a suite: creates a machine for each test. */
export function useBareMachine(): () => BareMachine {
	let machine: BareMachine;
	beforeEach(() => {
		machine = bareMachine();
	});
	afterEach(() => machine.remove());
	return () => machine;
}
