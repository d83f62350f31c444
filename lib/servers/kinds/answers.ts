/** What a server answered, by which its kind is recognized. */
import type { CallAnswer } from '../../http/types';

/** One answer of a server, whatever its status. */
export type ServerAnswer = Omit<CallAnswer, 'url' | 'redirects'>;

/** The routes by which servers are identified. `models` is below the API's path, the others below the root. */
export type IdentifyingRoute =
	| 'models'
	| 'apiVersion'
	| 'tags'
	| 'version'
	| 'health'
	| 'props'
	| 'info';

/** What a server answered. Routes that were not asked or did not answer are missing. */
export type ServerAnswers = Partial<Record<IdentifyingRoute, ServerAnswer>>;
