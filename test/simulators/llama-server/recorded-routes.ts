/** Recorded answers of llama-server v0.5.0 for stateless routes. All others are implemented in code. */
import { httpFixture } from '../../support/streams';
import type { WireReply } from '../wire-reply';
import { recordedExchanges } from '../model-recordings/exchange';
import { textReply } from './http';
import type { Settings } from './options';

/** A file of `llama-server-v0.5.0`, or an exchange of a topic in `models/llama-server-v0.5.0`. */
type Recording = { file: string } | { topic: string; exchange: string };

interface Row {
	asked: RegExp;
	when?: (settings: Settings) => boolean;
	says: Recording;
}

const ROWS: readonly Row[] = [
	{ asked: /^GET (?:\/v1)?\/health$/, says: { file: 'health' } },
	{ asked: /^POST \/props$/, says: { file: 'post-props-off' } },
	{ asked: /^(?:GET|POST) \/(?:tools|cors-proxy)$/, says: { file: 'error-tools-disabled' } },
	{ asked: /^POST \/infill$/, says: { file: 'error-infill-off' } },
	{
		asked: /^POST (?:\/v1)?\/audio\/transcriptions$/,
		says: { topic: 'lists', exchange: 'transcription-501' },
	},
	{ asked: /^GET \/metrics$/, when: ({ metrics }) => !metrics, says: { file: 'metrics-off' } },
];

function recorded(recording: Recording): { status: number; body: string } {
	if ('file' in recording) {
		const { status, body } = httpFixture(`llama-server-v0.5.0/${recording.file}.http`);
		return { status, body: body.toString('utf8') };
	}
	const all = recordedExchanges(`llama-server-v0.5.0/${recording.topic}`);
	const { status, text = '' } = all.find(({ name }) => name === recording.exchange)!.answer;
	return { status, body: text };
}

/** @param asked method and path, e.g. `GET /health` */
export function recordedAnswer(asked: string, settings: Settings): WireReply | undefined {
	const row = ROWS.find((one) => one.asked.test(asked) && one.when?.(settings) !== false);
	if (row === undefined) return undefined;
	const { status, body } = recorded(row.says);
	return { ...textReply(body, 'application/json; charset=utf-8'), status };
}
