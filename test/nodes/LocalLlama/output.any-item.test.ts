/** The item of each operation of Local Llama, by the fields and files of its input and the options of its output. */
import type { INodeExecutionData, INodeParameters } from 'n8n-workflow';

import { startGoodServer } from '../../faults/good-server';
import { createCredential, passUntilEnded, withoutIds } from '../../faults/harness';
import { listOperations } from '../../faults/operations';
import type { OperationResult } from '../../faults/operations';
import { expectApproved } from '../../support/approved/approved-table';
import { useClock } from '../../guarantees/support/fake-clock';
import path from 'node:path';
import { describeNodeError, withoutTimes } from '../../support/approved/outcome';

const clock = useClock();
const FILE = { mimeType: 'text/plain', fileName: 'old.txt', data: 'eA==' };

/** Items whose fields have the names of results. */
const ITEMS: Readonly<Record<string, INodeExecutionData[]>> = {
	'a text': [{ json: { text: 'a llama', output: 'old', metadata: 1, classification: 'old' } }],
	'a file': [{ json: { text: 'a llama' }, binary: { data: FILE } }],
	'two items': [{ json: { text: 'one', n: 0 } }, { json: { text: 'two', n: 1 } }],
};

interface Setting {
	options?: INodeParameters;
	parameters?: INodeParameters;
	isTool?: boolean;
}

/** Of these, a person has read the items. */
const READ: Readonly<Record<string, Setting>> = {
	'all of the result': { options: { includeInputFields: false, simplify: false } },
	'one item for all': {
		options: { singleItem: true, includeInputFields: true },
		parameters: { text: 'one' },
	},
};

/** Of these, a rule says the items: they have all of the result, of which each setting leaves out its part. */
const RULED: Readonly<Record<string, Setting>> = {
	'as added': {},
	'input fields on': { options: { includeInputFields: true } },
	'input fields off': { options: { includeInputFields: false } },
	'not simplified': { options: { simplify: false } },
	'another field': { options: { outputField: 'text', simplify: false, includeInputFields: true } },
	'as a tool': { isTool: true },
};

/** Names that are no field. */
const REFUSED: Readonly<Record<string, Setting>> = {
	'the field error': { options: { outputField: 'error' } },
	'a field with a dot': { options: { outputField: 'a.b' } },
};
const SETTINGS = { ...READ, ...RULED, ...REFUSED };

/** Those with options of the output. A list in a text has an item for each of its texts. */
const OPERATIONS: Readonly<Record<string, INodeParameters>> = {
	'text chat': {},
	'text extract': {},
	'text classify': {},
	'text complete': { prompt: ['one', 'two'] as never },
	'vector embed': { text: ['one', 'two'] as never },
	'vector rerank': { document: [{ text: 'one', n: 5 }, { text: 'two' }] as never },
	'image generate': {},
	'audio speak': {},
};

/** Hints of items that run at the same time arrive in any order. */
const describeItems = ({ items = [], hints = [] }: OperationResult): string =>
	[
		...items.flat().map(({ json, binary, pairedItem }) => {
			const files = Object.entries(binary ?? {}).map(
				([name, { fileName }]) => `${name} ${fileName}`,
			);
			return [
				JSON.stringify(withoutTimes(json)),
				...files,
				`of ${JSON.stringify(pairedItem)}`,
			].join(' ');
		}),
		...hints.map(({ message }) => `hint ${message}`).sort(),
	].join(' ; ');

/** A run that failed. */
interface Failed {
	/** Its facts. */
	error: string;
}

/** What became of a run. */
type Outcome = OperationResult | Failed;

const isFailed = (outcome: Outcome): outcome is Failed =>
	typeof (outcome as Partial<Failed>).error === 'string';

/** Without what differs at each run. */
const withoutChance = <T>(value: T): T =>
	JSON.parse(withoutIds(JSON.stringify(withoutTimes(value)))) as T;

/** Items as they are compared. */
const toShown = (items: readonly INodeExecutionData[]) =>
	items.map(({ json, binary = {}, pairedItem }) => ({
		json: withoutChance(json),
		files: Object.fromEntries(Object.entries(binary).map(([name, file]) => [name, file.fileName])),
		pairedItem,
	}));

/**
 * The items that a setting makes of all of a result, and the input fields and files that it loses. An entry of a list has fields of
 * its own in place of those of the input.
 */
function applySetting(
	all: ReturnType<typeof toShown>,
	{ options = {}, isTool = false }: Setting,
	items: readonly INodeExecutionData[],
) {
	const lost = new Set<string>();
	const expected = all.map(({ json, files, pairedItem }) => {
		const [field = '', ...others] = Object.keys(json);
		const own = (options.outputField as string | undefined) ?? field;
		const entry = Object.fromEntries(
			others.filter((name) => name !== 'metadata').map((name) => [name, json[name]]),
		);
		const source = items[(pairedItem as { item: number }).item]!;
		const include = isTool ? false : options.includeInputFields;
		const fields = (include ?? others.every((name) => name === 'metadata')) ? source.json : {};
		const [inputFiles] = toShown(include === true ? [source] : []).map((one) => one.files);
		const result = {
			...entry,
			[own]: json[field],
			...(options.simplify === false && { metadata: json.metadata }),
		};
		const lose = (names: object, of: object, by: string) => {
			for (const name of Object.keys(of))
				if (Object.hasOwn(names, name)) lost.add(`${name}: ${by}`);
		};
		lose(entry, fields, 'that of the list entry');
		lose({ [own]: 0 }, { ...fields, ...entry }, 'the result');
		if (options.simplify === false)
			lose({ metadata: 0 }, { ...fields, ...entry }, 'the metadata of the result');
		lose(files, inputFiles ?? {}, 'the output file');
		return { json: { ...fields, ...result }, files: { ...inputFiles, ...files }, pairedItem };
	});
	return { expected, lost: [...lost].sort() };
}

/** What the hints name as lost, and by what. */
const getTold = ({ hints = [] }: OperationResult): string[] =>
	[
		...new Set(
			hints.map(({ message }) =>
				message.replace(/^The input \w+ "([^"]*)" was replaced by ([^.]*)\..*$/, '$1: $2'),
			),
		),
	].sort();

const outcomes = new Map<string, Outcome>();
const outcomeOf = (...key: string[]): OperationResult => {
	const outcome = outcomes.get(key.join(', '))!;
	if (isFailed(outcome)) throw new Error(outcome.error);
	return outcome;
};

test('all runs end', async () => {
	const operations = await listOperations();
	const server = await startGoodServer();
	const works = new Map<string, Promise<string>>();
	for (const [name, own] of Object.entries(OPERATIONS))
		for (const [input, items] of Object.entries(ITEMS))
			for (const [setting, { options, parameters, isTool }] of Object.entries(SETTINGS)) {
				const operation = operations.find((one) => one.name === `Local Llama ${name}`)!;
				const key = `${name}, ${input}, ${setting}`;
				const credential = createCredential(operation, { url: server.at(key), key: 'key' });
				const work = operation
					.run({
						credentials: items.map(() => credential),
						items,
						parameters: { ...own, ...parameters },
						...(options && { options }),
						...(isTool === true && { isTool }),
					})
					.catch((error: unknown) => ({ error: describeNodeError(error) }))
					.then((outcome) => {
						outcomes.set(key, outcome);
						return key;
					});
				works.set(key, work);
			}
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	await server.close();
});

const CASES = Object.keys(OPERATIONS).flatMap((operation) =>
	Object.keys(ITEMS).map((input) => ({ operation, input })),
);

test.each(CASES)('$operation of $input has what its settings say', ({ operation, input }) => {
	const all = toShown(outcomeOf(operation, input, 'all of the result').items!.flat());
	for (const [setting, choice] of Object.entries(RULED)) {
		const outcome = outcomeOf(operation, input, setting);
		const items = toShown(outcome.items!.flat());
		const { expected, lost } = applySetting(all, choice, ITEMS[input]!);
		expect({ setting, items, told: getTold(outcome) }).toEqual({
			setting,
			items: expected,
			told: lost,
		});
		// n8n shows it in the first column.
		const [field] = Object.keys(all[0]!.json);
		const own = choice.options?.outputField ?? field;
		expect(items.map(({ json }) => Object.keys(json)[0])).toEqual(items.map(() => own));
	}
	for (const setting of Object.keys(REFUSED))
		expect(outcomes.get(`${operation}, ${input}, ${setting}`)).toEqual({
			error: expect.stringMatching(/^! invalidInput.*"Output Field"/),
		});
});

test('all of a result, and one item for all', () => {
	const rows = CASES.flatMap(({ operation, input }) =>
		Object.keys(READ).map((setting) => ({
			input: `${operation}, ${input}, ${setting}`,
			outcome: withoutIds(describeItems(outcomeOf(operation, input, setting))),
		})),
	);
	expectApproved(
		path.join(__dirname, 'output.any-item.approved.txt'),
		rows,
		'An item keeps its input as chosen, and a lost field is told',
	);
});
