/** Error responses: one recorded one for each status and shape, the causes of `test/faults`, and those of public issues. */
import { CAUSES } from '../../../faults/causes.cases';
import { everyExchange } from '../../../recordings/support/catalog';
import { bodyOf } from '../../../recordings/support/exchange';
import { DIFY_SETS, difyExchanges } from '../../../recordings/support/dify-exchanges';
import { MODEL } from '../../../faults/operations';
import { fixture } from '../../../support/servers/streams';
import type { ErrorResponse } from './play';

/** Texts of these fields tell shapes apart. */
const CODE = /^(?:type|code|error_type)$/;

function toShape(value: unknown, key = ''): unknown {
	if (typeof value === 'string') return CODE.test(key) ? value : 'text';
	if (Array.isArray(value)) return value.slice(0, 1).map((inner) => toShape(inner));
	if (typeof value !== 'object' || value === null) return typeof value;
	return Object.entries(value).map(([name, inner]) => [name, toShape(inner, name)]);
}

function describeShape(body: string): string {
	try {
		return JSON.stringify(toShape(JSON.parse(body)));
	} catch {
		return body === '' ? 'empty' : body.startsWith('<') ? 'page' : 'text';
	}
}

/** The first of each status and shape. */
function pickShapes(responses: readonly ErrorResponse[]): ErrorResponse[] {
	const picked = new Map<string, ErrorResponse>();
	for (const response of responses) {
		const shape = `${response.status} ${describeShape(response.body)}`;
		if (!picked.has(shape)) picked.set(shape, response);
	}
	return [...picked.values()];
}

function listRecorded(): ErrorResponse[] {
	const ofModels = everyExchange().map(({ file, name, answer }): ErrorResponse => {
		const status = Number(/^HTTP\/1\.[01] (\d+)/.exec(answer.toString('latin1'))?.[1] ?? 0);
		const body = bodyOf(answer).replace(/(['`"])nope\1/, `$1${MODEL}$1`);
		return { name: `${file} ${name}`, service: 'model', status, body };
	});
	const ofDify = DIFY_SETS.flatMap(difyExchanges).map(({ set, name, answer }): ErrorResponse => ({
		name: `${set} ${name}`,
		service: 'dify',
		status: answer.status,
		body: answer.body.toString('utf8'),
	}));
	return [ofModels, ofDify]
		.map((all) => all.filter(({ status }) => status >= 400))
		.flatMap(pickShapes);
}

/** The causes of `test/faults`, at both services unless only a model server says it. */
function listCauses(): ErrorResponse[] {
	return CAUSES.flatMap(({ name, status, body, headers, isModel }) => {
		const response = { status, body, ...(headers && { headers }) };
		const ofModel: ErrorResponse = { name, service: 'model', ...response };
		return isModel
			? [ofModel]
			: [ofModel, { name: `${name} (Dify)`, service: 'dify', ...response }];
	});
}

/** Errors after the first event of a good stream: its text is shown by then. */
const INSIDE: readonly ErrorResponse[] = [
	{
		name: 'after a part of the text: Ollama',
		service: 'model',
		status: 200,
		body: JSON.stringify({
			error: { message: 'an error was encountered while running the model' },
		}),
		place: 'last event',
	},
	{
		name: 'after a part of the text: vLLM, with a code',
		service: 'model',
		status: 200,
		body: JSON.stringify({
			error: {
				object: 'error',
				message: 'CUDA out of memory',
				type: 'InternalServerError',
				code: 500,
			},
		}),
		place: 'last event',
	},
	{
		name: 'after a part of the text: Dify',
		service: 'dify',
		status: 200,
		body: JSON.stringify({
			event: 'error',
			status: 400,
			code: 'completion_request_error',
			message: '[openai_api_compatible] Rate Limit Error, maximum quota exceeded',
		}),
		place: 'last event',
	},
];

export function listResponses(): ErrorResponse[] {
	return [...listRecorded(), ...listCauses(), ...INSIDE];
}

/** Bodies of public issues and of the sources of servers. */
export function listPublicResponses(): ErrorResponse[] {
	const lines = fixture('public-errors.jsonl').toString('utf8').trim().split('\n');
	return lines.map((line, index): ErrorResponse => {
		const { server, status, headers, body } = JSON.parse(line) as {
			server: string;
			status: number;
			headers: Record<string, string>;
			body: string;
		};
		return { name: `public ${index + 1} (${server})`, service: 'model', status, headers, body };
	});
}
