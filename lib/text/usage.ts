import type { Usage } from '../chat/types';

/** The tokens of two requests together. What one of them does not tell counts as none. */
export function addUsage(one: Usage | undefined, other: Usage | undefined): Usage | undefined {
	if (one === undefined || other === undefined) return one ?? other;
	const sum = (name: 'cachedTokens' | 'reasoningTokens') =>
		one[name] === undefined && other[name] === undefined ? {} : { [name]: (one[name] ?? 0) + (other[name] ?? 0) };
	return {
		promptTokens: one.promptTokens + other.promptTokens,
		completionTokens: one.completionTokens + other.completionTokens,
		totalTokens: one.totalTokens + other.totalTokens,
		...sum('cachedTokens'),
		...sum('reasoningTokens'),
	};
}
