import { randomUUID } from 'node:crypto';

import { openAiUsage } from '../chat/wire/counts';
import { asFailed } from '../errors/server-error';
import { type KindName, kindOf } from '../servers/kinds';
import { modelKey } from '../servers/model-key';
import { lacksModel } from '../servers/pool/failover';
import type { Attempt } from '../servers/pool/server-pool';
import { LruCache } from '../lru-cache';
import { recordOf } from '../values';

/** What a server does with the text behind a gap. */
type SuffixUse = 'read' | 'ignored' | 'unknown';

/** By server and model. */
const uses = LruCache.shared<SuffixUse>({ ttlMs: 60 * 60_000 });
/** Most characters per token in a random number. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * Whether a server reads the text behind a gap. Many accept `suffix` and silently ignore it: SGLang without
 * --completion-template, LiteLLM in front of llama-server, mlx_lm.server. The prompt tokens that they count for a long
 * suffix tell, at the cost of one generated token. The suffix is new each time, since some do not count cached tokens.
 *
 * @returns `unknown` where the server counts no tokens
 * @throws {ServerError} where the server cannot be reached or does not answer in time
 */
export async function suffixSupport(
	{ connection, model, limits }: Attempt,
	kind: KindName,
	signal?: AbortSignal,
): Promise<SuffixUse> {
	if (kindOf(kind).completion.ignoresSuffix === true) return 'ignored';
	const key = modelKey({ connection, model });
	const cachedUse = uses.get(key);
	if (cachedUse !== undefined) return cachedUse;
	const suffix = Array.from({ length: 8 }, () => randomUUID()).join(' ');
	const json = { model, prompt: '1', suffix, max_tokens: 1 };
	const options = { json, signal, limits, about: { model } };
	const answer = await connection
		.answer(`${connection.url.api}/completions`, options)
		.catch(asFailed);
	if ('failed' in answer) {
		const { failed } = answer;
		if (lacksModel(failed) || failed.kind === 'firstTokenLimit') throw failed;
		// The real request then waits, or fails with a better error.
		return 'read';
	}
	const use = useOf(suffix, openAiUsage(recordOf(answer.json).usage)?.promptTokens ?? 0);
	uses.set(key, use);
	return use;
}

function useOf(suffix: string, promptTokens: number): SuffixUse {
	if (promptTokens === 0) return 'unknown';
	return promptTokens < suffix.length / CHARACTERS_PER_TOKEN ? 'ignored' : 'read';
}
