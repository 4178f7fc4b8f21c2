# Sourced. An inherited descriptor would become part of every workload started below, and CRIU cannot dump what it cannot look up.
# 255 is bash's own (closed on exec).
for descriptor in /proc/self/fd/*; do
  descriptor=${descriptor##*/}
  if [ "$descriptor" -gt 2 ] && [ "$descriptor" -ne 255 ]; then eval "exec $descriptor>&-"; fi
done
