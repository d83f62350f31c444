/** What Chat and Extract make of any end of a response: the item or the error, hints, and the totals of the execution. */
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { LocalLlama } from '../../../../nodes/LocalLlama/LocalLlama.node';
import { CHAT, delta, LLAMA_SERVER, sse, usage } from '../../../guarantees/support/responses';
import { expectApproved } from '../../../support/approved/approved-table';
import {
	combine,
	describeNodeError,
	withoutTimes,
	withoutWords,
} from '../../../support/approved/outcome';
import { executeContext } from '../../../support/n8n/execute-context';
import { sendJson, useServers } from '../../../support/servers/scripted-server';
import type { Answer } from '../../../support/servers/scripted-server';
import path from 'node:path';

const start = useServers();
const COUNTED = usage({ prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 });
const stream =
	(...events: object[]): Answer =>
	(_request, response) => {
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		response.end(sse(...events, '[DONE]'));
	};

const RESPONSES: Readonly<Record<string, Answer>> = {
	'a text': stream(delta({ content: '{"city":"Quito"}' }), delta({}, 'stop'), COUNTED),
	'a text without counts': stream(delta({ content: '{"city":"Quito"}' }), delta({}, 'stop')),
	'thinking and a text': stream(
		delta({ reasoning_content: 'Hm' }),
		delta({ content: '{"city":null}' }),
		delta({}, 'stop'),
		COUNTED,
	),
	'only thinking': stream(delta({ reasoning_content: 'Hm' }), delta({}, 'stop'), COUNTED),
	'the limit': stream(delta({ content: '{"city":"Qu' }), delta({}, 'length'), COUNTED),
	'no JSON': stream(delta({ content: 'Quito' }), delta({}, 'stop'), COUNTED),
	'wrong JSON': stream(delta({ content: '{"town":1}' }), delta({}, 'stop'), COUNTED),
	nothing: stream(delta({}, 'stop'), COUNTED),
	'one character': stream(
		...Array.from({ length: 60 }, () => delta({ content: '@' })),
		delta({}, 'stop'),
		COUNTED,
	),
	refused: stream(delta({ refusal: 'No.' }), delta({}, 'stop'), COUNTED),
	filtered: stream(delta({ content: 'x' }), delta({}, 'content_filter'), COUNTED),
	'an error event': stream(delta({ content: 'Qui' }), {
		error: { message: 'no memory', code: 500 },
	}),
	'an error': (_request, response) => sendJson(response, { error: { message: 'no memory' } }, 400),
};

const OPERATIONS = {
	chat: { prompt: 'Hi' },
	extract: { text: 'Quito', fields: { field: [{ name: 'city', type: 'text' }] } },
} as const;

test('each response', async () => {
	const cases = combine({
		operation: Object.keys(OPERATIONS) as Array<keyof typeof OPERATIONS>,
		name: Object.keys(RESPONSES),
		continueOnFail: [false, true],
	});
	const rows = [];
	for (const { operation, name, continueOnFail } of cases) {
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: RESPONSES[name]! });
		const parameters = {
			resource: 'text',
			operation,
			...OPERATIONS[operation],
			options: { simplify: false, maxRetries: 0 },
		};
		const { context, hints } = executeContext({
			type: 'n8n-nodes-local-llama.localLlama',
			items: [{ json: {} }],
			perItem: [parameters],
			credentials: [{ baseUrl: server.url, apiKey: 'key' }],
			continueOnFail,
		} as never);
		const totals = new Map<string, unknown>();
		const customData = {
			get: (key: string) => totals.get(key),
			set: (key: string, value: unknown) => void totals.set(key, value),
		};
		const outcome = await new LocalLlama().execute
			.call(Object.assign(context, { customData }) as IExecuteFunctions)
			.then(
				(items: INodeExecutionData[][]) =>
					JSON.stringify(withoutWords(withoutTimes(items.flat().map(({ json }) => json)))),
				describeNodeError,
			);
		const parts = [
			`${server.sent(CHAT).length} requests`,
			outcome,
			...hints.map(({ message }) => `hint ${message}`),
			JSON.stringify(Object.fromEntries(totals)),
		];
		const text = parts
			.join(' ; ')
			.replaceAll(server.url, 'SERVER')
			.replaceAll(`127.0.0.1:${server.port}`, 'SERVER');
		rows.push({
			input: `${operation}, ${name}${continueOnFail ? ', goes on' : ''}`,
			outcome: text.replace(/\\"seconds\\":[\d.]+,\\"tokensPerSecond\\":[\d.]+/g, '…'),
		});
	}
	expectApproved(
		path.join(__dirname, 'generate-text.any-response.approved.txt'),
		rows,
		'A response becomes an item, or an error that keeps its text',
	);
});
