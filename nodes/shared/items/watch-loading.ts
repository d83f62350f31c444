/** Reports of a model that is still loading. */
import type { ServerError } from '../../../lib/errors/server-error';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import type { HintContext } from '../../../lib/n8n/hints';
import { addHintOnce } from '../../../lib/n8n/hints';

/** Ends the report of a loading model: with the error, if the request failed. */
type EndReport = (waitedMs: number, error?: ServerError) => void;

/** After this time without output, users assume that a chat is broken. */
export const NOTICEABLE_WAIT_MS = 5_000;

/**
 * Reports, once, that requests to the server wait noticeably for a loading model. The node shows a hint at its end.
 *
 * @param server gets the callbacks of the report
 * @param begin begins another report, which lasts until the model is loaded
 * @returns the same server
 */
export function watchLoading(
	context: HintContext,
	server: ModelServer,
	begin: () => EndReport = () => () => {},
): ModelServer {
	let end: EndReport | undefined;
	let since: number | undefined;
	server.onLoading = (waitedMs) => {
		if (since !== undefined || waitedMs < NOTICEABLE_WAIT_MS) return;
		since = performance.now() - waitedMs;
		end = begin();
		addHintOnce(context, 'The model was still loading, so the response took longer.');
	};
	server.onLoaded = (error) => {
		end?.(performance.now() - since!, error);
		end = undefined;
	};
	return server;
}
