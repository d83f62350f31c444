import { createServerError } from '../../../../lib/errors/create-error';
import type { ErrorType } from '../../../../lib/errors/error-types';
import { type ErrorTextParams, getErrorText } from '../../../../lib/errors/texts';
import { DIFY_ERROR_TEXTS } from '../../../../lib/errors/texts/dify';
import { MODEL_ERROR_TEXTS } from '../../../../lib/errors/texts/model';
import { NETWORK_ERROR_TEXTS } from '../../../../lib/errors/texts/network';

describe('error texts', () => {
	const TABLES = { network: NETWORK_ERROR_TEXTS, model: MODEL_ERROR_TEXTS, dify: DIFY_ERROR_TEXTS };
	const ROWS = Object.entries(TABLES).flatMap(([table, rows]) =>
		Object.keys(rows).map((kind) => [table, kind as ErrorType] as const),
	);
	/** All facts that a title can contain, with long values. */
	const FACTS: ErrorTextParams = {
		url: 'https://llm-server.example.com:8443/v1/chat/completions',
		root: 'https://llm-server.example.com:8443',
		host: 'llm-server.example.com',
		port: '8443',
		code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
		timeoutMs: 5_400_000,
		status: 524,
		model: 'qwen3-30b-a3b-instruct-2507',
		location: 'https://llm-server.example.com:8443/login?next=/v1/chat/completions',
		promptTokens: 131_072,
		contextTokens: 32_768,
		modality: 'image',
		tool: 'search_the_knowledge_base',
		maxTokens: 32_768,
	};

	test.each(ROWS)('%s, %s: title, detail and suggestion, with and without facts', (table, kind) => {
		const service = table === 'dify' ? ('dify' as const) : undefined;
		for (const facts of [{}, FACTS]) {
			const { message, detail, suggestion } = createServerError(
				kind,
				{ service },
				{ about: facts },
			);
			for (const text of [message, detail, suggestion])
				expect(text).not.toMatch(/undefined|NaN| {2}|\(\)|""/);
			expect(message).toMatch(/^[A-Zn].*[^.]$/);
			expect(detail).toMatch(/^[A-Zn].*[^.]$/);
			expect(suggestion).toMatch(/^[A-Z'].*\.$/);
			expect(getErrorText(kind, { service, ...facts }).title.length).toBeLessThanOrEqual(110);
		}
		expect(createServerError(kind, { service }).message.length).toBeLessThanOrEqual(80);
	});
});
