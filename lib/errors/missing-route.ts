/** The statuses of a route that a server lacks, or that allows another method there. */

/**
 * Whether a response says by its status that the server may lack what was requested: a route, or the model at it.
 *
 * @param status - Undefined: there was no response
 */
export function isMissingStatus(status: number | undefined): boolean {
	return status === 404 || status === 405;
}
