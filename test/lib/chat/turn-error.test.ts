/** What an error of a turn knows of its settings: each fact comes from what is set, not from what may be set. */
import { asServerErrorOrThrow, ServerError } from '../../../lib/errors/server-error';
import type { KnownFacts } from '../../../lib/errors/facts';
import { runTurn } from '../../../lib/chat/turn';
import type { SamplingSettings } from '../../../lib/chat/settings';
import { createModelServer } from '../../../lib/servers/endpoint';
import { CHAT, LLAMA_SERVER } from '../../guarantees/support/responses';
import { NO_EXECUTION } from '../../support/n8n/node-host';
import { json, useServers } from '../../support/servers/scripted-server';
import { toInput } from '../../support/texts/messages';
import { PLAIN_SETTINGS } from './chat-settings';

const start = useServers();

/** A system message, an earlier one and the question: none is the largest part. */
const MESSAGES = (['system', 'human', 'human'] as const).map((type) =>
	toInput({ type, content: 'Once' }),
);

async function getKnown(sampling: SamplingSettings): Promise<KnownFacts> {
	const message = 'the request exceeds the available context size';
	const error = { message, type: 'exceed_context_size_error', n_prompt_tokens: 900, n_ctx: 512 };
	const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: json({ error }, 400) });
	const result = await runTurn({
		server: createModelServer({ baseUrl: server.url }, NO_EXECUTION),
		settings: { ...PLAIN_SETTINGS, sampling },
		chatRequest: { messages: MESSAGES },
	}).catch(asServerErrorOrThrow);
	if (!(result instanceof ServerError)) throw new Error('It did not fail.');
	return result.known;
}

test.each([
	{ maxTokens: undefined, source: 'chat' },
	// No limit.
	{ maxTokens: -1, source: 'chat' },
	{ maxTokens: 0, source: 'chat' },
	{ maxTokens: 1, source: 'limitedChat' },
])('Maximum Tokens $maxTokens: the prompt is that of a $source', async ({ maxTokens, source }) => {
	const { promptSource } = await getKnown({ maxTokens });
	expect(promptSource).toBe(source);
});
