/** Everything that is kept beyond one call is a row of `KEPT`, and nothing of another execution is kept under its words. */
import * as fs from 'node:fs';
import { KEPT } from '../../lib/kept';
import { LIVE } from './support/live-state';

const FOLDERS = ['lib', 'nodes', 'credentials'];

/** All sources, by their path. */
const sources = new Map(
	FOLDERS.flatMap((folder) =>
		fs
			.readdirSync(folder, { recursive: true, encoding: 'utf8' })
			.filter((name) => name.endsWith('.ts'))
			.map((name) => [`${folder}/${name}`, fs.readFileSync(`${folder}/${name}`, 'utf8')] as const),
	),
);

/** Where a pattern occurs: the path, and what its group matched. */
const findAll = (pattern: RegExp): string[] =>
	[...sources].flatMap(([path, text]) =>
		[...text.matchAll(pattern)].map(([, group = '']) => `${path}: ${group}`.trimEnd()),
	);

test('each row is the name of one store', () => {
	const created = findAll(/\bkeep(?:Within)?(?:<[^()]*>)?\(\s*'(\w+)'/g).map(
		(place) => place.split(': ')[1]!,
	);
	expect([...new Set(created)].sort()).toEqual(Object.keys(KEPT).sort());
});

test('no store is created otherwise', () => {
	expect(findAll(/\b(new LruCache)\b/g)).toEqual(['lib/kept.ts: new LruCache']);
});

/** What lives in modules beside the rows and what ends with its use (`LIVE`), and why nobody learns from it what another execution did. */
const OTHERS: Readonly<Record<string, string>> = {
	'lib/chat/check/check-schema.ts: quotes': 'derived from a value, and ends with it',
	'lib/chat/check/validate-against-schema.ts: resolvedSchemas':
		'derived from a schema, and ends with it',
	'lib/chat/tools/arguments.ts: known':
		'derived from the arguments of a call: the last four long ones',
	'lib/kept.ts: processStores': 'the stores of the rows',
	'lib/langchain/host-classes.ts: classesByAdapter': "n8n's own classes",
	'lib/langchain/json-schema.ts: ids': 'a number that is unique',
	'lib/langchain/stream-text.ts: streams': 'a number that is unique',
	'lib/exchange/languages.ts: namesByCode': 'a table of Node',
	'lib/tracing/span.ts: hostApi': "n8n's own library",
};

/** A variable, or a collection that is empty at first. */
const CHANGING =
	/^(?:export )?(?:let|const(?= \w+(?:: [^=\n]*)? = (?:new (?:Map|Set|WeakMap|WeakSet)(?:<[^()]*>)?\(\)|\[\];))) (\w+)/gm;

test('nothing else that changes lives in a module', () => {
	const found = findAll(CHANGING).filter((place) => !place.endsWith(': NO_SECRETS'));
	const live = Object.values(LIVE).flatMap(({ variable = [] }) => variable);
	expect(found.sort()).toEqual([...Object.keys(OTHERS), ...live].sort());
});
