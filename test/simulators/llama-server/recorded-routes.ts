/** Recorded answers of llama-server v0.5.0 for stateless routes. All others are implemented in code. */
import { httpFixture } from '../../support/streams';
import type { WireReply } from '../wire-reply';
import { recordedExchanges } from '../../support/recorded-exchanges';
import { textReply } from './http';
import type { Settings } from './options';

/** A file of `llama-server-v0.5.0`, or an exchange of a topic in `models/llama-server-v0.5.0`. */
type Recording = { file: string } | { topic: string; exchange: string };

interface Row {
	route: RegExp;
	when?: (settings: Settings) => boolean;
	recording: Recording;
}

const ROWS: readonly Row[] = [
	{ route: /^GET (?:\/v1)?\/health$/, recording: { file: 'health' } },
	{ route: /^POST \/props$/, recording: { file: 'post-props-off' } },
	{ route: /^(?:GET|POST) \/(?:tools|cors-proxy)$/, recording: { file: 'error-tools-disabled' } },
	{ route: /^POST \/infill$/, recording: { file: 'error-infill-off' } },
	{
		route: /^POST (?:\/v1)?\/audio\/transcriptions$/,
		recording: { topic: 'lists', exchange: 'transcription-501' },
	},
	{ route: /^GET \/metrics$/, when: ({ metrics }) => !metrics, recording: { file: 'metrics-off' } },
];

function readRecording(recording: Recording): { status: number; body: string } {
	if ('file' in recording) {
		const { status, body } = httpFixture(`llama-server-v0.5.0/${recording.file}.http`);
		return { status, body: body.toString('utf8') };
	}
	const all = recordedExchanges(`llama-server-v0.5.0/${recording.topic}`);
	const { status, text = '' } = all.find(({ name }) => name === recording.exchange)!.answer;
	return { status, body: text };
}

/** @param route method and path, e.g. `GET /health` */
export function recordedAnswer(route: string, settings: Settings): WireReply | undefined {
	const row = ROWS.find((one) => one.route.test(route) && one.when?.(settings) !== false);
	if (row === undefined) return undefined;
	const { status, body } = readRecording(row.recording);
	return { ...textReply(body, 'application/json; charset=utf-8'), status };
}
