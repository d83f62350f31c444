import type { DifyAppMode, DifyUsage } from '../../../lib/dify/types';
import type { NodeStep, Reply, Script, Step } from './types';

/** Turns a text or pieces into a plain run of the app type. */
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
		mode === 'workflow'
			? { id: 'end', type: 'end', title: 'End' }
			: { id: 'answer', type: 'answer', title: 'Answer' };
	const llm: NodeStep = {
		id: 'llm',
		type: 'llm',
		title: 'LLM',
		elapsed: 1.2,
		outputs: { text: chunks.join('') },
	};
	// The pieces arrive while their node is running (docs/protocols/dify.md 3.6).
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

/** Prices are decimal strings (docs/protocols/dify.md 2.1.4); only workflows measure the time to the first token. */
export function defaultUsage(mode: DifyAppMode = 'advanced-chat'): DifyUsage {
	const measured = workflowBased(mode);
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
		time_to_first_token: measured ? 0.3 : null,
		time_to_generate: measured ? 0.95 : null,
	};
}

/** Zero usage: of a moderated or stopped chatflow, and always of the New Agent. */
export function noUsage(price: string): DifyUsage {
	return {
		...defaultUsage(),
		prompt_tokens: 0,
		prompt_unit_price: price,
		prompt_price_unit: price,
		prompt_price: price,
		completion_tokens: 0,
		completion_unit_price: price,
		completion_price_unit: price,
		completion_price: price,
		total_tokens: 0,
		total_price: price,
	};
}

/** Usage of a stopped chatbot or agent, with Python's decimal zero of seven places. */
export function stoppedUsage(): DifyUsage {
	const zero = '0E-7';
	const none = { ...noUsage('0'), prompt_price: zero, completion_price: zero, total_price: zero };
	return unmeasured(none);
}

/** Without a first token there are no timings. */
export function unmeasured(usage: DifyUsage): DifyUsage {
	return { ...usage, time_to_first_token: null, time_to_generate: null };
}
