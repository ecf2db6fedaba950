#!/bin/bash
# Makes versions of images in the guest's registry: the layers of the one that is there, under another configuration.
# So it needs to know nothing of what the images are made of.
set -euo pipefail

request() { curl --silent --show-error --fail "$@"; }

# push REPOSITORY TAG VERSION [broken]; the repository is an address in the registry's interface.
push() {
    local repository=$1 tag=$2 version=$3 broken=${4:-}
    local manifest config digest place type
    manifest=$(request --header 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
        --header 'Accept: application/vnd.oci.image.manifest.v1+json' "$repository/manifests/$tag")
    digest=$(jq --raw-output .config.digest <<< "$manifest")
    config=$(request "$repository/blobs/$digest" | jq --compact-output --arg version "$version" --arg broken "$broken" '
        .config.Env |= (map(select(startswith("HARNESS_VERSION=") or startswith("HARNESS_BROKEN=") | not))
            + ["HARNESS_VERSION=" + $version] + if $broken == "" then [] else ["HARNESS_BROKEN=1"] end)
        | .config.Labels["harness.version"] = $version')
    digest=sha256:$(printf %s "$config" | sha256sum | cut --delimiter=' ' --fields=1)
    manifest=$(jq --compact-output --arg digest "$digest" --argjson size "$(printf %s "$config" | wc --bytes)" \
        '.config += {digest: $digest, size: $size}' <<< "$manifest")
    # An upload begins with a request for its place, which is told in a header.
    place=$(request --output /dev/null --request POST --write-out '%header{location}' "$repository/blobs/uploads/")
    printf %s "$config" | request --output /dev/null --request PUT --data-binary @- \
        --header 'Content-Type: application/octet-stream' "$place&digest=$digest"
    type=$(jq --raw-output '.mediaType // "application/vnd.oci.image.manifest.v1+json"' <<< "$manifest")
    printf %s "$manifest" | request --output /dev/null --request PUT --data-binary @- \
        --header "Content-Type: $type" "$repository/manifests/$tag"
}
