import { randomUUID } from 'node:crypto';

import { openAiUsage } from '../chat/wire/counts';
import { asFailed } from '../errors/server-error';
import { type ServerKind, traitsOf } from '../servers/kinds';
import { isLacking } from '../servers/pool/failover';
import type { Attempt } from '../servers/pool/server-pool';
import { LruCache } from '../lru-cache';
import { recordOf } from '../values';

/** What becomes of the text behind a gap, where no more is known of the server. */
const uses = LruCache.shared<'read' | 'ignored' | 'unknown'>({ ttlMs: 60 * 60_000 });
/** No token stands for more signs of a random number. */
const SIGNS_PER_TOKEN = 4;

/**
 * Many servers take `suffix` and ignore it without a word: SGLang without --completion-template, LiteLLM before
 * llama-server, mlx_lm.server. What they count as tokens of a long one tells, for one token that they write. It is new each
 * time, since some leave out what comes from their cache.
 */
export async function suffixUse({ connection, model, limits }: Attempt, kind: ServerKind, signal?: AbortSignal) {
	const place = `${connection.url.api} ${model}`;
	const known = traitsOf(kind).ignoresSuffix === true ? 'ignored' : uses.get(place);
	if (known !== undefined) return known;
	const suffix = Array.from({ length: 8 }, () => randomUUID()).join(' ');
	const json = { model, prompt: '1', suffix, max_tokens: 1 };
	const options = { json, signal, limits, about: { model } };
	const asked = await connection.answer(`${connection.url.api}/completions`, options).catch(asFailed);
	if ('failed' in asked) {
		if (isLacking(asked.failed) || asked.failed.kind === 'firstTokenLimit') throw asked.failed;
		// The request itself waits, or tells what is wrong with it.
		return 'read';
	}
	const counted = openAiUsage(recordOf(asked.json).usage)?.promptTokens ?? 0;
	const use = counted === 0 ? 'unknown' : counted < suffix.length / SIGNS_PER_TOKEN ? 'ignored' : 'read';
	uses.set(place, use);
	return use;
}
