/**
 * The table of what is told about a failure: its chapters, joined. The first row whose facts are all known, and that has words,
 * counts; without one, the type has its own words (`rows/`).
 */
import { CONNECTION_ROWS } from './chapters/connections';
import { DIFY_ROWS } from './chapters/dify';
import { DIFY_RUN_ROWS } from './chapters/dify-runs';
import { FILE_ROWS } from './chapters/files';
import { INPUT_ROWS } from './chapters/inputs';
import { ADDRESS_ROWS, MODEL_ROWS } from './chapters/models';
import { OPTION_ROWS } from './chapters/options';
import { REFUSED_TEXT_ROWS } from './chapters/refused-texts';
import type { Row } from './chapters/row';
import { RESULT_ROWS } from './chapters/results';
import { SERVER_ROWS } from './chapters/servers';
import { SIZE_ROWS } from './chapters/sizes';
import { TRANSPORT_ROWS } from './chapters/transport';
import { TURN_ROWS } from './chapters/turns';
import { VECTOR_ROWS } from './chapters/vectors';

/** Causes, by facts. */
export const CAUSES: readonly Row[] = [
	...INPUT_ROWS,
	...TRANSPORT_ROWS,
	...VECTOR_ROWS,
	...REFUSED_TEXT_ROWS,
	...OPTION_ROWS,
	...SIZE_ROWS,
	...SERVER_ROWS,
	...MODEL_ROWS,
	...FILE_ROWS,
	...CONNECTION_ROWS,
	...DIFY_ROWS,
];

/** What the node found out itself, and no server said. Where a cause has other words, they count more. */
export const FOUND: readonly Row[] = [
	...DIFY_RUN_ROWS,
	...RESULT_ROWS,
	...TURN_ROWS,
	...ADDRESS_ROWS,
];

/** All rows, in their order. */
export const TABLE: readonly Row[] = [...CAUSES, ...FOUND];
