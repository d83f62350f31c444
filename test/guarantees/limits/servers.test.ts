import { createModelServer } from '../../../lib/servers/endpoint';
import { collectTruncationWarnings } from '../../../lib/servers/truncation';
import { json, startScripted } from '../../support/servers/scripted-server';
import type { ScriptedServer } from '../../support/servers/scripted-server';
import { suggestModels } from '../../../lib/errors/other-models';
import { testLimit } from '../../support/jest/limits';
import { NO_EXECUTION } from '../../support/n8n/node-host';

testLimit('lib/servers/model-selection.ts#MAX_NAMES', {
	limit: 10,
	outcome: (count) =>
		suggestModels(
			Array.from({ length: count }, (_none, at) => `m${at}`),
			undefined,
		).includes('more'),
	within: false,
	beyond: true,
});

describe('a text of which the server processed too few tokens', () => {
	let server: ScriptedServer;
	beforeAll(async () => {
		server = await startScripted({ 'GET /v1/models': json({ data: [{ id: 'm' }] }) });
	});
	afterAll(async () => await server.close());

	/** Without repeated characters, which are counted once. */
	const textOf = (pair: string, length: number) => pair.repeat(length).slice(0, length);

	const isTruncated = async (text: string, processedTokens: number) => {
		const warnings = await collectTruncationWarnings(
			createModelServer({ baseUrl: server.url }, NO_EXECUTION),
			{
				texts: [text],
				processedTokens,
				model: 'm',
			},
		);
		return warnings.length > 0;
	};

	testLimit('lib/servers/truncation.ts#MAX_LETTERS_PER_TOKEN', {
		limit: 7,
		step: 0.01,
		of: 'Latin letters a token',
		outcome: async (letters) => await isTruncated(textOf('ab', Math.round(1_000 * letters)), 1_000),
		within: false,
		beyond: true,
	});
	testLimit('lib/servers/truncation.ts#MAX_LETTERS_PER_TOKEN', {
		limit: 7,
		step: 0.03,
		of: 'Latin letters a token, of which a wide one has three',
		outcome: async (letters) =>
			await isTruncated(textOf('界面', Math.floor((1_000 * letters) / 3)), 1_000),
		within: false,
		beyond: true,
	});
	testLimit('lib/servers/truncation.ts#MIN_CHARACTERS', {
		limit: 1_999,
		of: 'characters, one less than may be truncated',
		outcome: async (characters) => await isTruncated(textOf('ab', characters), 1),
		within: false,
		beyond: true,
	});
});
