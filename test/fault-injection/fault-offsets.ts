/** Offsets into a response body at which faults occur. */
import { parseObject } from '../../lib/json';
import { isRecord } from '../../lib/values';

export type AnswerForm = 'sse' | 'dify' | 'lines' | 'json' | 'file';

export interface FaultOffsets {
	/** Before the first content. */
	first: number;
	/** In the middle of the text, or of a body without text. */
	mid: number;
	/** In the middle of a tool call, if any. */
	midTool: number | undefined;
	/** After all relevant content. */
	finish: number;
	/** The text before `mid`, and that before `midTool`. */
	textAtMid: string;
	textAtMidTool: string;
	/** Bytes of one event with content, which an endless body repeats. */
	again: Buffer;
}

interface Event {
	start: number;
	end: number;
	text: string;
	isCall: boolean;
	isFinish: boolean;
	isContent: boolean;
}

export function findFaultOffsets(form: AnswerForm, body: Buffer): FaultOffsets {
	const events = form === 'json' || form === 'file' ? [] : eventsOf(form, body);
	const content = events.filter(({ isContent }) => isContent);
	const texts = content.filter(({ text }) => text !== '');
	const calls = events.filter(({ isCall }) => isCall);
	const finish = events.findLast(({ isFinish }) => isFinish)?.end ?? body.length;
	const textUntil = (offset: number) =>
		events
			.filter(({ end }) => end <= offset)
			.map(({ text }) => text)
			.join('');
	if (content.length === 0) {
		const mid = Math.floor(body.length / 2);
		return {
			first: 0,
			mid,
			midTool: undefined,
			finish,
			textAtMid: '',
			textAtMidTool: '',
			again: body.subarray(0, Math.max(1, mid)),
		};
	}
	const inMidst = texts.length > 0 ? texts : content;
	const mid = inMidst[Math.floor((inMidst.length - 1) / 2)]!.end;
	const midTool = calls.length > 0 ? calls[Math.floor((calls.length - 1) / 2)]!.end : undefined;
	const last = inMidst.at(-1)!;
	return {
		first: content[0]!.start,
		mid,
		midTool,
		finish,
		textAtMid: textUntil(mid),
		textAtMidTool: midTool === undefined ? '' : textUntil(midTool),
		again: body.subarray(last.start, last.end),
	};
}

function eventsOf(form: 'sse' | 'dify' | 'lines', body: Buffer): Event[] {
	const end = form === 'lines' ? '\n' : '\n\n';
	const events: Event[] = [];
	for (let start = 0; start < body.length; ) {
		const found = body.indexOf(end, start);
		const stop = found < 0 ? body.length : found + end.length;
		events.push({ start, end: stop, ...read(form, body.toString('utf8', start, stop)) });
		start = stop;
	}
	return events;
}

function read(form: 'sse' | 'dify' | 'lines', event: string): Omit<Event, 'start' | 'end'> {
	const data = form === 'lines' ? event : /^data:\s*(.*)$/m.exec(event)?.[1];
	const json = data === undefined ? undefined : parseObject(data);
	if (json === undefined) return { text: '', isCall: false, isFinish: false, isContent: false };
	if (form === 'dify') {
		const { event: name, answer, data: inner } = json;
		const chunk = isRecord(inner) && typeof inner.text === 'string' ? inner.text : '';
		const text =
			name === 'message' || name === 'agent_message'
				? String(answer)
				: name === 'text_chunk'
					? chunk
					: '';
		const isFinish = name === 'message_end' || name === 'workflow_finished';
		return {
			text,
			isCall: false,
			isFinish,
			isContent: !isFinish && name !== undefined && name !== 'ping',
		};
	}
	const choice = Array.isArray(json.choices) ? (json.choices as unknown[])[0] : undefined;
	const delta =
		isRecord(choice) && isRecord(choice.delta)
			? choice.delta
			: isRecord(json.message)
				? json.message
				: {};
	const text = typeof delta.content === 'string' ? delta.content : '';
	const isCall = Array.isArray(delta.tool_calls) && delta.tool_calls.length > 0;
	const isFinish =
		(isRecord(choice) && typeof choice.finish_reason === 'string') || json.done === true;
	return { text, isCall, isFinish, isContent: text !== '' || isCall };
}
