/** Suggestions that follow from Dify's code, or from the node that failed, if they say more than those of the type. */

/** By Dify's code. */
const SUGGESTION_BY_CODE = new Map<string | undefined, string>(
	Object.entries({
		human_input_form_expired:
			'The run takes the timeout branch of its node: use Follow to see how it continues. To allow more time, raise the timeout of the Human Input node in Dify.',
		human_input_form_submitted:
			'Only the first submission counts: use Follow to see how the run continues.',
		unsupported_audio_type:
			'Dify accepts MP3, M4A, WAV, AMR and MPGA. Convert the recording to one of these formats first.',
		audio_too_large:
			'Dify transcribes at most 30 MB. Send a compressed format such as MP3, or split the recording.',
		file_too_large:
			'Send a smaller file, or raise UPLOAD_FILE_SIZE_LIMIT in the Dify settings (images, audio and videos: UPLOAD_IMAGE_, UPLOAD_AUDIO_ and UPLOAD_VIDEO_FILE_SIZE_LIMIT).',
		file_extension_blocked:
			'Dify blocks files with this extension for all apps. Send another format, or remove the extension from UPLOAD_FILE_EXTENSION_BLACKLIST in the Dify settings.',
		invalid_action:
			'The state of the document does not allow this: Dify locks one while it is indexed, and for up to ten minutes after it was enabled or disabled. Nothing was changed.',
	}),
);

/** By the type of the node of a workflow that failed. */
const SUGGESTION_BY_NODE = new Map<string | undefined, string>(
	Object.entries({
		tool: 'The app and its model work, but a tool failed: check its settings and credentials in Dify (Tools, Plugins), and open the run in the logs of the app.',
		'http-request':
			'Dify requests this URL itself, from its own containers and through its SSRF proxy: localhost and private addresses may be blocked there. Check the URL, and the log of the server that it is about.',
	}),
);

/** What is known of an error of Dify. */
interface DifyErrorFacts {
	code: string | undefined;
	/** Type of the node that failed, if it is known. */
	nodeType?: string;
}

/**
 * The suggestion for an error whose type says less.
 *
 * @returns undefined if that of the type says as much
 */
export function findSuggestion({ code, nodeType }: DifyErrorFacts): string | undefined {
	return SUGGESTION_BY_CODE.get(code) ?? SUGGESTION_BY_NODE.get(nodeType);
}
