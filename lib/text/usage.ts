import type { Usage } from '../chat/types';

/** The sum of the token counts of two requests. A missing count is 0. */
export function addUsage(one: Usage | undefined, other: Usage | undefined): Usage | undefined {
	if (one === undefined || other === undefined) return one ?? other;
	const sum = (name: 'cachedTokens' | 'reasoningTokens') =>
		one[name] === undefined && other[name] === undefined
			? {}
			: { [name]: (one[name] ?? 0) + (other[name] ?? 0) };
	return {
		promptTokens: one.promptTokens + other.promptTokens,
		completionTokens: one.completionTokens + other.completionTokens,
		totalTokens: one.totalTokens + other.totalTokens,
		...sum('cachedTokens'),
		...sum('reasoningTokens'),
	};
}
