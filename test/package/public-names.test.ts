/**
 * The names that workflows contain, as data in public-names.tsv: parameters with their values, and output fields.
 * `CONTRACT_WRITE=1 npx jest test/package/public-names.test.ts` rewrites the file.
 */
import type {
	INodeProperties,
	INodePropertyCollection,
	INodePropertyOptions,
	INodeType,
} from 'n8n-workflow';
import { toCurrentState } from '../../lib/health/watch';
import type { CheckResult } from '../../lib/health/check-result';
import { isRecord } from '../../lib/values/records';
import { LocalLlama } from '../../nodes/LocalLlama/LocalLlama.node';
import { run, server, SESAME, sim, useServer } from '../nodes/ServerHealth/run-node';
import { isWriting } from '../support/approved/is-writing';
import { reply } from '../simulators/llama-server';
import { everyOperation, withLowLimits } from '../support/n8n/every-operation';
import { executeContext } from '../support/n8n/execute-context';
import * as fs from 'node:fs';
import { loadNode, NODES } from './sources';

const FILE = `${__dirname}/public-names.tsv`;
const RECORDINGS = 'test/recordings';

const toLine = (...cells: string[]) => cells.join('\t');

/** Values of a list, or modes of a resource locator. */
function listValues({ type, options = [], modes = [] }: INodeProperties): unknown[] {
	if (type === 'resourceLocator') return modes.map(({ name }) => name);
	if (type !== 'options' && type !== 'multiOptions') return [];
	return (options as INodePropertyOptions[]).map(({ value }) => value);
}

function listMembers({ type, options = [] }: INodeProperties): INodeProperties[] {
	if (type === 'collection') return options as INodeProperties[];
	if (type !== 'fixedCollection') return [];
	return (options as INodePropertyCollection[]).flatMap(({ name, values }) =>
		values.map((value) => ({ ...value, name: `${name}.${value.name}` })),
	);
}

/** Lines of a field and its members. @param owner node, and the resource and operation that show the field */
function describeField(owner: string, field: INodeProperties, prefix = ''): string[] {
	if (field.type === 'notice') return [];
	const name = prefix + field.name;
	const values = listValues(field).map(String).sort();
	return [
		toLine(owner, 'parameter', name, [field.type, ...values].join(' ')),
		...listMembers(field).flatMap((member) => describeField(owner, member, `${name}.`)),
	];
}

function describeNode(folder: string, { description }: INodeType): string[] {
	const versions = [description.version].flat().join(' ');
	const fields = description.properties.flatMap((field) => {
		const { resource = [], operation = [] } = field.displayOptions?.show ?? {};
		const names = [...resource, ...(field.name === 'operation' ? [] : operation)].map(String);
		return describeField([folder, ...names].join(' '), field);
	});
	return [toLine(folder, 'version', versions), ...fields];
}

/** Lines for the fields of items, and those within them. */
function describeItem(owner: string, item: unknown, depth: number, prefix = ''): string[] {
	if (!isRecord(item)) return [];
	return Object.entries(item).flatMap(([name, value]) => [
		toLine(owner, 'output', prefix + name),
		...(depth > 1 ? describeItem(owner, value, depth - 1, `${prefix}${name}.`) : []),
	]);
}

type Results = Record<string, unknown>;

const readResults = (folder: string) =>
	fs.readdirSync(`${RECORDINGS}/${folder}`).flatMap((file): Array<[string, Results]> => {
		if (!file.endsWith('.json')) return [];
		const text = fs.readFileSync(`${RECORDINGS}/${folder}/${file}`, 'utf8');
		return [[file, JSON.parse(text) as Results]];
	});

/** "Local Llama: Text: Chat" and its item or items. */
function describeModelResults(): string[] {
	const exchanges = readResults('models').flatMap(([, results]) => Object.values(results));
	return exchanges.filter(isRecord).flatMap((exchange) =>
		Object.entries(exchange).flatMap(([label, result]) => {
			if (!isRecord(result)) return [];
			const items = [result.item, result.items].flat();
			return items.flatMap((item) => describeItem(label, item, 1));
		}),
	);
}

/** The items of a Dify node. Those of Dify itself have no more names of ours below. */
function describeDifyResults(): string[] {
	return readResults('dify').flatMap(([file, results]) => {
		const node = file.split('.').at(-2)!;
		return Object.values(results).flatMap((result) =>
			[isRecord(result) ? result.items : []]
				.flat()
				.flatMap((item) => describeItem(node, isRecord(item) ? item.json : undefined, 1)),
		);
	});
}

/** Server Health and its trigger: one run of each operation. */
async function describeHealthResults(): Promise<string[]> {
	await sim({ metrics: true });
	const lines: string[] = [];
	for (const operation of ['check', 'speedTest', 'toolTest', 'report', 'waitUntilReady']) {
		const parameters = { operation, tokens: 8, maxTokens: 16, options: { timeout: 60 } };
		const { json } = (await run({ parameters })).flat()[0]!;
		lines.push(...describeItem(`ServerHealth ${operation}`, json, 2));
		if (operation !== 'check') continue;
		const change = toCurrentState(json as unknown as CheckResult);
		lines.push(...describeItem('ServerHealthTrigger', change, 1));
	}
	return lines;
}

/** Operations without a recording of their success, with the text that the model generates. */
const UNRECORDED: Record<string, string> = {
	'Local Llama text classify': 'invoice',
	'Local Llama text extract': '{"city":"Quito"}',
};

async function describeTextResults(): Promise<string[]> {
	const lines: string[] = [];
	const node = new LocalLlama();
	for (const filled of everyOperation(node.description).map(withLowLimits)) {
		const text = UNRECORDED[filled.name];
		if (text === undefined) continue;
		server().script(reply.text(text));
		const { context } = executeContext({
			type: filled.type,
			items: [{ json: {}, binary: { data: { data: 'aGVsbG8=', mimeType: 'text/plain' } } }],
			credentials: { baseUrl: server().url, apiKey: SESAME },
			parameters: { ...filled.parameters, model: 'sim-model' },
		});
		const [items = []] = await node.execute.call(context);
		lines.push(...items.flatMap(({ json }) => describeItem(filled.name, json, 1)));
	}
	return lines;
}

useServer();

test('names of parameters, values and outputs are those of the file', async () => {
	const nodes = NODES.map(async (folder) => describeNode(folder, await loadNode(folder)));
	const found = [
		...(await Promise.all(nodes)).flat(),
		...describeModelResults(),
		...describeDifyResults(),
		...(await describeHealthResults()),
		...(await describeTextResults()),
	];
	const lines = [...new Set(found)].sort();
	if (isWriting) fs.writeFileSync(FILE, `${lines.join('\n')}\n`);
	const stored = fs.readFileSync(FILE, 'utf8').trimEnd().split('\n');
	const changes = [
		...stored.filter((line) => !lines.includes(line)).map((line) => `- ${line}`),
		...lines.filter((line) => !stored.includes(line)).map((line) => `+ ${line}`),
	];
	const advice = `A changed name or output needs a new typeVersion (docs/decisions.md, "Names and versions"). If the names below are new, or not released yet, rewrite ${FILE} with CONTRACT_WRITE=1:`;
	expect(changes.length === 0 ? [] : [advice, ...changes]).toEqual([]);
});
