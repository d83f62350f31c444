/**
 * `/v1/completions` (OpenAI text) and `/completion` (native), docs/protocols/llama-server.md 2.7 and 3.7. Text only,
 * one choice.
 */
import type { Write } from '../wire-reply';
import { FINGERPRINT, event, llamaUsage } from './dialects';
import { answerOf, type Job, paced, totals } from './generate';
import { paramsReport } from './params';

const finishOf = (finish: string | null): string => (finish === 'length' ? 'length' : 'stop');

/** Non-streamed body of `/v1/completions`, and the last event of its stream. */
export const textCompletion = (job: Job, streamed: boolean): object => {
	const { usage, timings, finish } = totals(job, job.leases[0]!);
	const { id, model, created } = job.meta;
	return {
		choices: [
			{
				text: streamed ? '' : answerOf(job).content,
				index: 0,
				logprobs: null,
				finish_reason: finishOf(finish),
			},
		],
		created,
		model,
		system_fingerprint: FINGERPRINT,
		object: 'text_completion',
		usage: llamaUsage(usage),
		id,
		timings,
	};
};

/** Always sends usage, independent of `include_usage`. */
export async function* textStream(job: Job): AsyncGenerator<Write> {
	const { id, model, created } = job.meta;
	for await (const item of paced(job)) {
		if ('write' in item) yield item.write;
		else if (item.delta.content) {
			yield event({
				choices: [{ text: item.delta.content, index: 0, logprobs: null, finish_reason: null }],
				created,
				model,
				system_fingerprint: FINGERPRINT,
				object: 'text_completion',
				id,
			});
		}
	}
	if (job.signal.aborted) return;
	if (job.options.error) {
		yield job.dialect.streamError(job.options.error);
		return;
	}
	if (job.options.finish !== false) yield event(textCompletion(job, true));
	if (job.options.done !== false) yield event('[DONE]');
}

/** Non-streamed body of `/completion`, and the last event of its stream. */
export const nativeCompletion = (job: Job, streamed: boolean): object => {
	const lease = job.leases[0]!;
	const { usage, timings, finish } = totals(job, lease);
	const { content } = answerOf(job);
	return {
		index: 0,
		content: streamed ? '' : content,
		tokens: [],
		id_slot: lease.idSlot,
		stop: true,
		model: job.meta.model,
		tokens_predicted: usage.completion,
		tokens_evaluated: usage.prompt,
		generation_settings: paramsReport(job.task.body, {
			full: true,
			chatFormat: 'Content-only',
			reasoningFormat: 'deepseek',
			generationPrompt: '',
		}),
		prompt: job.task.prompt,
		has_new_line: content.includes('\n'),
		truncated: false,
		stop_type: finish === 'length' ? 'limit' : 'eos',
		stopping_word: '',
		tokens_cached: usage.prompt + usage.completion - 1,
		timings,
	};
};

/** No `[DONE]` at the end. */
export async function* nativeStream(job: Job): AsyncGenerator<Write> {
	let predicted = 0;
	const { usage } = totals(job, job.leases[0]!);
	for await (const item of paced(job)) {
		if ('write' in item) {
			yield item.write;
			continue;
		}
		predicted += 1;
		const content = item.delta.content ?? '';
		yield event({
			index: 0,
			content,
			tokens: [...content].map((char) => char.codePointAt(0)),
			stop: false,
			id_slot: -1,
			tokens_predicted: predicted,
			tokens_evaluated: usage.prompt,
		});
	}
	if (job.signal.aborted) return;
	if (job.options.error) yield job.dialect.streamError(job.options.error);
	else if (job.options.finish !== false) yield event(nativeCompletion(job, true));
}
