/** The model in the query of a GET request to a router. */
export function modelQuery(model: string): string {
	return `?model=${encodeURIComponent(model.toWellFormed())}`;
}

/** The same, without loading the model: it may have been unloaded meanwhile. */
export function modelQueryWithoutLoading(model: string): string {
	return `${modelQuery(model)}&autoload=false`;
}
