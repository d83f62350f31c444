import type { DifyAppMode } from '../../../lib/dify/types';
import type { DifyUsage } from './types';
import type { NodeStep, Reply, Script, Step } from './types';

/** Turns a text or pieces into a plain run of the app type. */
export function scriptOf(reply: Reply, mode: DifyAppMode): Script {
	if (typeof reply === 'object' && !Array.isArray(reply)) return reply;
	const chunks = Array.isArray(reply) ? reply : (reply.match(/\S+\s*|\s+/g) ?? []);
	return { steps: plainSteps(chunks, mode) };
}

function plainSteps(chunks: string[], mode: DifyAppMode): Step[] {
	const texts = chunks.map((text): Step => ({ text }));
	if (mode === 'agent-chat' || mode === 'agent') return [{ round: { chunks } }];
	if (mode === 'chat' || mode === 'completion') return texts;
	const llm: NodeStep = {
		id: 'llm',
		type: 'llm',
		title: 'LLM',
		outputs: { text: chunks.join('') },
	};
	// The pieces arrive while their node is running (docs/protocols/dify.md 3.6).
	return [
		{ node: { id: 'start', type: 'start', title: 'Start' } },
		{ nodeStart: llm },
		...texts,
		{ nodeEnd: llm },
		{ node: { id: 'end', type: mode === 'workflow' ? 'end' : 'answer', title: 'End' } },
	];
}

export function workflowBased(mode: DifyAppMode): boolean {
	return mode === 'advanced-chat' || mode === 'workflow';
}

/** Prices are decimal strings (docs/protocols/dify.md 2.1.4). */
export function defaultUsage(): DifyUsage {
	return {
		prompt_tokens: 12,
		prompt_price: '0.0000120',
		completion_tokens: 8,
		completion_price: '0.0000160',
		total_tokens: 20,
		total_price: '0.0000280',
		currency: 'USD',
		latency: 1.25,
	};
}

/** Usage of a stopped run, with Python's decimal zero of seven places. */
export function stoppedUsage(): DifyUsage {
	const price = '0E-7';
	return {
		...defaultUsage(),
		prompt_tokens: 0,
		prompt_price: price,
		completion_tokens: 0,
		completion_price: price,
		total_tokens: 0,
		total_price: price,
	};
}
