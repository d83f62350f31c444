/**
 * Zero and false are values: where a server reports 0 in place of 7, or false in place of true, the item of each operation has
 * the same fields.
 */
import type { INodeExecutionData } from 'n8n-workflow';

import { getGoodResponse } from '../faults/good-responses';
import type { GoodResponse } from '../faults/good-responses';
import { startGoodServer } from '../faults/good-server';
import type { GoodServer } from '../faults/good-server';
import {
	createCredential,
	expectNoProblems,
	findException,
	getUnusedExceptions,
	passUntilEnded,
} from '../faults/harness';
import type { Exceptions } from '../faults/harness';
import { listOperations } from '../faults/operations';
import type { OperationResult } from '../faults/operations';
import { useClock } from './support/fake-clock';

/** Operation, and a field that is missing. */
const EXCEPTIONS: Exceptions = [
	[/^Local Llama vector embed: \.metadata\.tokens$/, 'A server that does not count sends 0.'],
];

/** Of a record, a run, an image, a recording: what operations may pass on. */
const NUMBERS = [
	'seed',
	'duration',
	'position',
	'hit_count',
	'word_count',
	'tokens',
	'created_at',
	'updated_at',
	'elapsed_time',
	'total_tokens',
	'total_steps',
	'exceptions_count',
	'finished_at',
	'count',
	'document_count',
	'score',
];
const SWITCHES = ['enabled', 'archived', 'embedding_available'];

/** Numbers between 0 and 1, all of which together are 1. */
const PROBABILITIES = /^(?:probabilities|noul)$/;

/** What a page, an address or a token of the API is. */
const FIXED = /^(?:total|page|limit|index|code|n_ctx|n_ctx_train|total_slots|status)$/;

interface Variant {
	number: number;
	isOn: boolean;
}
const VARIANTS: Readonly<Record<string, Variant>> = {
	seven: { number: 7, isOn: true },
	zero: { number: 0, isOn: false },
};

/** Gives each record all numbers and switches, with the values of a variant. */
function vary(value: unknown, variant: Variant): unknown {
	if (Array.isArray(value)) return value.map((entry) => vary(entry, variant));
	if (typeof value !== 'object' || value === null) return value;
	const { number, isOn } = variant;
	const fields = Object.entries(value).map(([name, inner]) => {
		if (PROBABILITIES.test(name)) return [name, inner];
		if (typeof inner === 'number' && !FIXED.test(name)) return [name, number];
		return [name, SWITCHES.includes(name) ? isOn : vary(inner, variant)];
	});
	const isRecord = 'id' in value || 'b64_json' in value || 'text' in value;
	return {
		...(isRecord && Object.fromEntries(NUMBERS.map((name) => [name, number]))),
		...Object.fromEntries(fields),
	};
}

function varyBody(good: GoodResponse, variant: Variant): GoodResponse {
	const { body } = good;
	if (Buffer.isBuffer(body)) return good;
	const varied = body.replace(/^(?:data: )?\{.*$/gm, (line) => {
		const [, start = '', json = ''] = /^(data: )?(.*)$/.exec(line) ?? [];
		return start + JSON.stringify(vary(JSON.parse(json), variant));
	});
	return { ...good, body: varied };
}

/** The fields of items, with those in them. */
function listPaths(value: unknown, path = ''): string[] {
	if (Array.isArray(value)) return value.flatMap((entry) => listPaths(entry, `${path}[]`));
	if (typeof value !== 'object' || value === null) return [path];
	return Object.entries(value).flatMap(([name, inner]) => listPaths(inner, `${path}.${name}`));
}

const clock = useClock();

test('each operation has the same fields with 0 as with 7', async () => {
	const operations = (await listOperations()).filter(({ type }) => type === 'action');
	const server: GoodServer = await startGoodServer(({ name, line, method, text }) => {
		const target = line.slice(method.length + 1);
		const good = getGoodResponse({ method, target, text, baseUrl: server.at(name) });
		const variant = VARIANTS[name.slice(name.lastIndexOf('-') + 1)]!;
		return varyBody(good, variant);
	});
	const works = new Map<string, Promise<OperationResult>>();
	for (const operation of operations)
		for (const variant of Object.keys(VARIANTS)) {
			const url = server.at(`${operation.name} ${variant}`);
			const work = operation.run({
				credentials: [createCredential(operation, { url, key: 'key-7f3a91c4d2' })],
				options: { simplify: false },
			});
			work.catch(() => undefined);
			works.set(`${operation.name} ${variant}`, work);
		}
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	await server.close();
	const missing: string[] = [];
	let fields = 0;
	for (const { name } of operations) {
		const [seven, zero] = await Promise.all(
			Object.keys(VARIANTS).map(async (variant) => {
				const { items = [] } = await works.get(`${name} ${variant}`)!;
				const json = items.flat().map((item: INodeExecutionData) => item.json);
				return new Set(json.flatMap((one) => listPaths(one)));
			}),
		);
		fields += seven!.size;
		missing.push(
			...[...seven!].filter((path) => !zero!.has(path)).map((path) => `${name}: ${path}`),
		);
	}
	expectNoProblems(missing.filter((text) => findException(EXCEPTIONS, text) === undefined));
	expectNoProblems(getUnusedExceptions(EXCEPTIONS, missing));
	expect(fields).toBeGreaterThan(500);
});
