import fc from 'fast-check';
import { NodeOperationError } from 'n8n-workflow';

import { createServerError } from '../../../../lib/errors/create-error';
import type { ErrorType } from '../../../../lib/errors/error-types';
import { toNodeError } from '../../../../lib/errors/node-error';
import type { ErrorTextParams } from '../../../../lib/errors/texts';
import { DIFY_ERROR_TEXTS } from '../../../../lib/errors/texts/dify';
import { MODEL_ERROR_TEXTS } from '../../../../lib/errors/texts/model';
import { NETWORK_ERROR_TEXTS } from '../../../../lib/errors/texts/network';
import { toPanelError, stripTitle } from '../../../../nodes/shared/run/item-error';
import { executeContext } from '../../../support/execute-context';

const TABLES = { network: NETWORK_ERROR_TEXTS, model: MODEL_ERROR_TEXTS, dify: DIFY_ERROR_TEXTS };
const ROWS = Object.entries(TABLES).flatMap(([table, rows]) =>
	Object.keys(rows).map((kind) => [table, kind as ErrorType] as const),
);
const FACTS: ErrorTextParams = { model: 'qwen3', status: 502, tool: 'search', code: 'EPROTO' };
const { context } = executeContext({
	type: 'n8n-nodes-local-llama.localLlama',
	credentials: {},
	parameters: {},
});
const { context: chat } = executeContext({
	type: 'n8n-nodes-local-llama.localLlama',
	credentials: {},
	parameters: {},
	streaming: true,
});

const shownIn = (where: typeof context, kind: ErrorType, options: object) =>
	toPanelError(
		where,
		toNodeError(where.getNode(), createServerError(kind, options, { about: FACTS })),
	);

test.each(ROWS)('%s, %s: the description does not repeat the title', (table, kind) => {
	const service = table === 'dify' ? ('dify' as const) : undefined;
	for (const url of [
		'https://user:pw@10.0.0.5:8080/v1/chat?key=1',
		'http://[::1]:9/(v1)',
		undefined,
	]) {
		const options = { url, service };
		const { message, description } = shownIn(context, kind, options);
		expect(description).not.toContain(message);
		expect(description).toMatch(/^[A-Z'].*[.!?"]$/s);
		// A streamed chat shows only the description.
		const whole = shownIn(chat, kind, options).description!;
		expect(whole.length).toBeGreaterThanOrEqual(description!.length);
		if (url !== undefined) expect(description).toContain(new URL(url).host);
	}
});

test('a description that only begins with the same words stays', () => {
	const description = 'The server failed twice. Look at its log.';
	expect(stripTitle({ message: 'The server failed', description })).toBe(description);
	expect(stripTitle({ message: 'Something else', description })).toBe(description);
	expect(stripTitle({ message: 'No', description: undefined })).toBeUndefined();
});

test('property: the text after the title is unchanged', () => {
	const sentence = fc.stringMatching(/^[A-Z][a-z ]{0,20}[a-z]$/);
	fc.assert(
		fc.property(sentence, sentence, (title, rest) => {
			const error = new NodeOperationError(context.getNode(), title, {
				description: `${title}. ${rest}.`,
			});
			expect(toPanelError(context, error).description).toBe(`${rest}.`);
		}),
	);
});
