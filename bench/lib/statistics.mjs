/** Medians and quantiles of measured values. */

/**
 * @param {readonly number[]} values
 * @param {number} share from 0 to 1
 * @returns {number} the value below which this share of the values is, interpolated; NaN if there are no values
 */
export const quantile = (values, share) => {
	const sorted = [...values].sort((one, other) => one - other);
	const position = (sorted.length - 1) * share;
	const low = sorted[Math.floor(position)] ?? NaN;
	const high = sorted[Math.ceil(position)] ?? NaN;
	return low + (high - low) * (position - Math.floor(position));
};

/** @param {readonly number[]} values */
export const median = (values) => quantile(values, 0.5);

/** @param {number} value */
export const ratio = (value) => `${value.toFixed(2)}×`;

/** @param {readonly number[]} values @returns {string} the median, with the middle half in brackets */
export const spread = (values) =>
	`${ratio(median(values))} (${quantile(values, 0.25).toFixed(2)}–${quantile(values, 0.75).toFixed(2)})`;
