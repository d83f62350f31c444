/** Items with texts for a node against a good server that refuses some texts: requests, items, hints and tokens, as a table shows them. */
import type { INodeParameters } from 'n8n-workflow';

import { LocalLlama } from '../../../../nodes/LocalLlama/LocalLlama.node';
import { startGoodServer } from '../../../faults/good-server';
import type { GoodServer, Reaction } from '../../../faults/good-server';
import { executeContext } from '../../../support/n8n/execute-context';
import { describeNodeError, withoutWords, withoutTimes } from '../../../support/approved/outcome';

/** Texts with this word are refused. */
export const REFUSED = 'bad';

export interface ItemsCase {
	/** Fields of each item. */
	items: readonly INodeParameters[];
	/** Of all items. */
	parameters?: INodeParameters;
	continueOnFail?: boolean;
	/** Whether an agent uses the node. Default: no. */
	isTool?: boolean;
}

/** A number of its own for each text. */
const toNumber = (text: unknown): number => String(text).charCodeAt(0) / 1_000;

const json = (status: number, body: object): Reaction => ({
	status,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(body),
});

/** Vectors and scores by the texts, the last one first; of another model for a text with that word. */
function respond(text: string): Reaction {
	const { input, documents } = JSON.parse(text) as Record<string, string[] | undefined>;
	const usage = { prompt_tokens: 7, total_tokens: 8 };
	const data = input?.map((one, index) => ({ index, embedding: [1, toNumber(one)] }));
	const model = text.includes('other') ? 'another-model' : 'a-model';
	if (data !== undefined) return json(200, { model, data: data.reverse(), usage });
	const results = documents?.map((one, index) => ({ index, relevance_score: toNumber(one) }));
	return json(200, { model, results: results?.reverse(), usage });
}

/** A server that has another model, too. */
const MODELS = json(200, {
	data: ['a-model', 'another-model'].map((id) => ({ id, owned_by: 'llamacpp' })),
});

export const startRefusing = async (): Promise<GoodServer> =>
	await startGoodServer(({ method, line, text }) => {
		if (line.endsWith('/v1/models')) return MODELS;
		if (method !== 'POST') return undefined;
		return text.includes(REFUSED)
			? json(400, { error: { message: 'It is not so.', code: 400 } })
			: respond(text);
	});

/** @param name of the case, for an address of its own */
export async function playItems(
	server: GoodServer,
	name: string,
	{ items, parameters, continueOnFail, isTool = false }: ItemsCase,
): Promise<string> {
	const fake = executeContext({
		type: `n8n-nodes-local-llama.localLlama${isTool ? 'Tool' : ''}`,
		credentials: { baseUrl: server.at(name) },
		items: items.map((_item, at) => ({ json: { at } })),
		parameters: { model: { __rl: true, mode: 'id', value: 'a-model' }, ...parameters },
		perItem: items.map((item) => ({ ...item })),
		continueOnFail,
	});
	const outcome = await new LocalLlama().execute
		.call(fake.context)
		.then(
			([output = []]) =>
				output
					.map(({ json, pairedItem }) =>
						JSON.stringify([withoutWords(withoutTimes(json)), pairedItem]),
					)
					.join(' ') || 'no items',
			describeNodeError,
		);
	const sent = server
		.to(name)
		.filter(({ method }) => method === 'POST')
		.map(({ text }) => {
			const { model: _same, ...body } = JSON.parse(text) as Record<string, unknown>;
			return JSON.stringify(body);
		});
	const hints = fake.hints.map(({ message, type }) => `hint ${type} ${message}`);
	const tokens = JSON.stringify(fake.metadata);
	return [...sent, outcome, ...hints, ...(tokens === '{}' ? [] : [tokens])]
		.join(' ; ')
		.replace(/http:\/\/127\.0\.0\.1:\d+\/[\w-]+/g, 'SERVER');
}
