import { KINDS } from '../../lib/servers/kinds';
import { fs, path, process } from '../support/node';

const LIB = path.join(process.cwd(), 'lib');
/** The protocol of Ollama, which other servers speak as well. */
const PROTOCOL = /^chat\/wire\/ollama/;
/** Not a server, but that it is not known. */
const NAMES = Object.keys(KINDS).filter((kind) => kind !== 'other');

const files = fs
	.readdirSync(LIB, { recursive: true, encoding: 'utf8' })
	.map((name) => name.split(path.sep).join('/'))
	.filter((name) => name.endsWith('.ts') && !name.startsWith('servers/kinds/') && !PROTOCOL.test(name));

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

test('nothing of lib outside servers/kinds asks for a server by its name', () => {
	expect(files.length).toBeGreaterThan(200);
	const named = new RegExp(`(['"])(?:${[...NAMES, ...NAMES.map(kebab)].join('|')})\\1|^\\s*(?:${NAMES.join('|')}):`);
	const found = files.flatMap((name) =>
		fs
			.readFileSync(path.join(LIB, name), 'utf8')
			.split('\n')
			.filter((line) => !/^\s*(?:\*|\/)/.test(line) && named.test(line))
			.map((line) => `${name}: ${line.trim()}`),
	);
	expect(found).toEqual([]);
});

test('nothing of lib outside servers/kinds imports one of them', () => {
	const one = new RegExp(`/kinds/(?:${NAMES.map(kebab).join('|')})'`);
	expect(files.filter((name) => one.test(fs.readFileSync(path.join(LIB, name), 'utf8')))).toEqual([]);
});

test('no file outside servers/kinds is named after a server', () => {
	const own = new RegExp(`(?:^|[/-])(?:${NAMES.map(kebab).join('|')})(?:-|\\.ts$)`);
	expect(files.filter((name) => own.test(name))).toEqual([]);
});
