/** `/v1/completions` (docs/protocols/llama-server.md 2.7 and 3.7). Text only, one choice. */
import type { Write } from '../wire-reply';
import { FINGERPRINT, event, llamaUsage } from './dialects';
import { answerOf, type Job, paced, totals } from './generate';

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
