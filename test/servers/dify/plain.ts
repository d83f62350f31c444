import type { DifyAppMode } from '../../../lib/dify/types';
import type { Json, NodeStep, Reply, Script, Step } from './types';

/** Text or pieces become the plain run that the app type would make of them. */
export function scriptOf(reply: Reply, mode: DifyAppMode): Script {
	if (typeof reply === 'object' && !Array.isArray(reply)) return reply;
	const chunks = Array.isArray(reply) ? reply : (reply.match(/\S+\s*|\s+/g) ?? []);
	return { steps: plainSteps(chunks, mode) };
}

export function plainSteps(chunks: string[], mode: DifyAppMode): Step[] {
	const texts = chunks.map((chunk): Step => ({ text: chunk, from: ['llm', 'text'] }));
	if (mode === 'agent-chat' || mode === 'agent') return [{ round: { chunks } }];
	if (mode === 'chat' || mode === 'completion') return chunks.map((chunk) => ({ text: chunk }));
	const last: NodeStep =
		mode === 'workflow' ? { id: 'end', type: 'end', title: 'End' } : { id: 'answer', type: 'answer', title: 'Answer' };
	const llm: NodeStep = { id: 'llm', type: 'llm', title: 'LLM', elapsed: 1.2, outputs: { text: chunks.join('') } };
	// The pieces come while their node is still running (contract 3.6).
	return [
		{ node: { id: 'start', type: 'start', title: 'Start' } },
		{ nodeStart: llm },
		...texts,
		{ nodeEnd: llm },
		{ node: { ...last, outputs: { answer: chunks.join('') } } },
	];
}

export function workflowBased(mode: DifyAppMode): boolean {
	return mode === 'advanced-chat' || mode === 'workflow';
}

/** Prices are decimal strings (contract 2.1.4). */
export function defaultUsage(): Json {
	return {
		prompt_tokens: 12,
		prompt_unit_price: '0.0000010',
		prompt_price_unit: '1',
		prompt_price: '0.0000120',
		completion_tokens: 8,
		completion_unit_price: '0.0000020',
		completion_price_unit: '1',
		completion_price: '0.0000160',
		total_tokens: 20,
		total_price: '0.0000280',
		currency: 'USD',
		latency: 1.25,
		time_to_first_token: 0.3,
		time_to_generate: 0.95,
	};
}
