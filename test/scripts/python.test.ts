import { childProcess, crypto, fs, path } from '../support/node';
import { useBareMachine } from '../support/bare-machine';

/** The machine's Python, which the scripts find on PATH. */
const PYTHON = ['python3', 'python']
	.map((name) =>
		childProcess.spawnSync(name, ['-c', 'import sys, pip; print(sys.executable)'], {
			encoding: 'utf8',
		}),
	)
	.find(({ status }) => status === 0)
	?.stdout.trim();

/** A minimal wheel. */
const WHEEL = `
import sys, zipfile
info = 'little-1.0.dist-info/'
with zipfile.ZipFile(sys.argv[1] + '/little-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('little.py', 'here = True')
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: little\\nVersion: 1.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
`;

const INSTALL = `
const { installWheels } = await lib('python');
try {
	const wheel = { name: 'little', version: '1.0', hashes: [process.env.HASH] };
	console.log(await installWheels(process.env.PYTHON_OF_TEST, process.env.FOLDER, [wheel]));
} catch (error) {
	console.log('FAILED ' + error.message);
}
process.exit(0);`;

const machine = useBareMachine();

describe('the Python of this machine', () => {
	const find = async () =>
		(
			await machine().run(
				`console.log(JSON.stringify(await (await lib('python')).findPython())); process.exit(0)`,
			)
		).stdout;

	test('is told when it is missing, too old or without pip, with what to install', async () => {
		expect(await find()).toMatch(
			/python3 was not found \((apt-get install -y python3 python3-pip|brew install python)\)/,
		);
		machine().program('python3', `console.log('3 8')`);
		expect(await find()).toMatch(/Python 3\.10 or newer is needed, and .*python3 is 3\.8/);
		machine().program(
			'python3',
			`if (argv[0] === '-c') console.log('3 12'); else process.exit(1);`,
		);
		expect(await find()).toMatch(
			/python3 has no pip \((apt-get install -y python3 python3-pip|brew install python)\)/,
		);
	});
});

// npm test needs only Node.
(PYTHON === undefined ? describe.skip : describe)('wheels, installed by the real pip', () => {
	async function install(hash?: string): Promise<string> {
		const { folder } = machine();
		childProcess.spawnSync(PYTHON!, ['-c', WHEEL, folder]);
		const bytes = fs.readFileSync(path.join(folder, 'little-1.0-py3-none-any.whl'));
		const { stdout } = await machine().run(INSTALL, {
			PYTHON_OF_TEST: PYTHON!,
			FOLDER: folder,
			HASH: hash ?? crypto.createHash('sha256').update(bytes).digest('hex'),
			PIP_NO_INDEX: '1',
			PIP_FIND_LINKS: folder,
			// The user's pip settings that would forbid it.
			PIP_USER: '1',
			PIP_REQUIRE_VIRTUALENV: '1',
		});
		return stdout.trim();
	}

	test('lie in a folder, without a virtual environment', async () => {
		const packages = path.join(machine().folder, 'packages');
		expect(await install()).toBe(packages);
		expect(fs.readdirSync(packages)).toEqual(['little-1.0.dist-info', 'little.py']);
	});

	test('with another hash are refused', async () => {
		const said = await install('0'.repeat(64));
		expect(said).toMatch(/^FAILED little 1\.0 could not be installed:/);
		expect(said).toContain('0'.repeat(64));
		expect(fs.existsSync(path.join(machine().folder, 'packages'))).toBe(false);
	});
});
