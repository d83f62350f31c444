/**
 * The table of what is told about a failure: its chapters, joined. The first row whose facts are all known, and that has words,
 * counts; without one, the type has its own words (`rows/`).
 */
import { CONNECTION_ROWS } from './chapters/connections';
import { DIFY_ROWS } from './chapters/dify';
import { FILE_ROWS } from './chapters/files';
import { INPUT_ROWS } from './chapters/inputs';
import { MODEL_ROWS } from './chapters/models';
import { OPTION_ROWS } from './chapters/options';
import { REFUSED_TEXT_ROWS } from './chapters/refused-texts';
import type { Row } from './chapters/row';
import { SIZE_ROWS } from './chapters/sizes';
import { TRANSPORT_ROWS } from './chapters/transport';
import { VECTOR_ROWS } from './chapters/vectors';

/** All rows, in their order. */
export const TABLE: readonly Row[] = [
	...INPUT_ROWS,
	...TRANSPORT_ROWS,
	...OPTION_ROWS,
	...VECTOR_ROWS,
	...REFUSED_TEXT_ROWS,
	...SIZE_ROWS,
	...MODEL_ROWS,
	...FILE_ROWS,
	...CONNECTION_ROWS,
	...DIFY_ROWS,
];
