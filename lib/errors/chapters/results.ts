/** The chapter of responses that are not the result of a task. */
import { truncate } from '../../values/text';
import type { Facts } from '../facts';
import type { ResultIssue } from '../issues';
import type { Row, Words } from './row';
import { defineRow } from './row';

const MAX_TITLE_LENGTH = 500;

/** What the native API of a server does not take. */
const UNTAKEN_MEDIA: Readonly<Record<Facts['untakenMedia'], Words>> = {
	audio: {
		title: 'The native API of this server does not accept audio',
		suggestion:
			'Transcribe the recording first (Local Llama, Audio: Transcribe), or use a server that accepts audio.',
	},
	imageUrl: {
		title: 'The server does not fetch images from URLs',
		suggestion: 'Download the image in the workflow (HTTP Request) and pass it as binary data.',
	},
};

export const RESULT_ROWS: readonly Row[] = [
	defineRow({
		types: ['invalidResponse', 'emptyResponse'],
		needs: ['resultIssue'],
		tell: ({ resultIssue }) => describeResult(resultIssue),
	}),
	defineRow({
		types: ['modalityUnsupported'],
		needs: ['untakenMedia'],
		tell: ({ untakenMedia }) => UNTAKEN_MEDIA[untakenMedia],
	}),
];

function describeResult(issue: ResultIssue): Words {
	switch (issue.kind) {
		case 'noAnswers':
			return {
				title: 'The server returned no answers',
				suggestion: 'Check that the Base URL points to a server with decision models.',
			};
		case 'answers':
			return {
				title: truncate(
					issue.problems
						.map(({ question, problem }) => `The answer to "${question}" ${problem}`)
						.join('. '),
					MAX_TITLE_LENGTH,
				),
				suggestion:
					'Update the server, or use another decision model. Fewer questions in one item may help.',
			};
		case 'ranking':
			return {
				title: `The server returned an unusable ranking: ${issue.problem}`,
				suggestion:
					'Check that the Base URL points to a server with a rerank endpoint, and that the model is a reranker.',
			};
		case 'noTranscript':
			return {
				title: 'The server returned an empty response instead of a transcript',
				suggestion:
					'Check that the Base URL points to a transcription server, and that the model is a speech model.',
			};
		case 'noImage':
			return {
				title: 'The server returned no image',
				suggestion: 'Check the server log, and that the model generates images of this size.',
			};
		case 'tooManyImages':
			return {
				title: `The server returned ${issue.count} images, more than ${issue.maximum}`,
				suggestion: 'Check the Extra Body and the server log: as many images were not requested.',
			};
		case 'notAnImage':
			return {
				title: 'The server response is not an image',
				detail: `The server response is not an image, but ${issue.received}`,
				suggestion:
					'The node requests base64 (response_format "b64_json"). Check the server log and the Extra Body.',
			};
		case 'noAudio':
			return {
				title: 'The server returned no audio',
				detail: `The server returned no audio: its response has ${issue.bytes} bytes`,
				suggestion:
					'Check the text, the voice and the model, and the server log. A text that consists only of emoji or punctuation produces no audio.',
			};
		case 'notAudio':
			return {
				title: 'The server response is not audio',
				detail: `The server response is not audio, but ${issue.received}`,
				suggestion: 'Check that the model generates speech, the Extra Body, and the server log.',
			};
	}
}
