/** The context that a prompt needs: a server that stops counting says only that it is too long. */
import {
	suggestLargerContext,
	suggestOtherModel,
	suggestShorterResponse,
} from '../../../../lib/errors/chapters/sizes';

const TRAINED = 131_072;

test.each<{ prompt: number; current: number | undefined; size: number | undefined }>([
	// Counted to the end: the prompt, and room for a response.
	{ prompt: 9_000, current: 4_096, size: 10_240 },
	{ prompt: 4_098, current: 4_096, size: 5_120 },
	// Not counted further than the limit, or one token above it (vLLM): at least twice of it.
	{ prompt: 4_097, current: 4_096, size: 9_216 },
	{ prompt: 4_096, current: 4_096, size: 9_216 },
	{ prompt: 3_000, current: 4_096, size: 9_216 },
	{ prompt: 3_000, current: undefined, size: 4_096 },
	// Never more than the model was trained for.
	{ prompt: 131_000, current: 4_096, size: TRAINED },
	{ prompt: 131_071, current: 4_096, size: TRAINED },
	{ prompt: 131_072, current: 4_096, size: undefined },
	{ prompt: 70_000, current: 70_000, size: undefined },
])('$prompt tokens in a context of $current need $size', ({ prompt, current, size }) => {
	const sizes = { current, trained: TRAINED, slots: 1 };
	const advice = suggestLargerContext(prompt, sizes, 'llamaServer');
	expect(advice?.match(/\d{4,}/)?.[0]).toBe(size === undefined ? undefined : String(size));
	const other = suggestOtherModel(prompt, sizes);
	expect(other?.match(/\d{4,}/)?.[0]).toBe(size === undefined ? String(TRAINED) : undefined);
});

test.each([
	['the least that a response needs', { promptTokens: 488, responseTokens: 900 }, '512'],
	['less than a response needs', { promptTokens: 489, responseTokens: 900 }, undefined],
	['as much as the response', { promptTokens: 400, responseTokens: 600 }, undefined],
	['less than the response by a token', { promptTokens: 400, responseTokens: 602 }, '600'],
	['one token too little, as vLLM counts', { promptTokens: 400, responseTokens: 601 }, undefined],
])('Maximum Tokens if there is room for %s', (_room, tokens, most) => {
	const advice = suggestShorterResponse({ ...tokens, contextTokens: 1_000 });
	expect(advice).toBe(most && `Lower Maximum Tokens to at most ${most}.`);
});
